"""What became of each layer: what share of it was to go, what went, and what stood in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.pruning.coupled import COUPLED
from rethink_det.pruning.predefined import PredefinedPruner
from rethink_det.pruning.pruner import Pruner, PruneResult
from rethink_det.pruning.ratios import matches, num_keep
from rethink_det.pruning.reach import why_whole

MOST_NAMES = 2


@dataclass(frozen=True)
class Explained:
    """One layer.

    Attributes:
        layer: Its name.
        width: Channels it had.
        kept: Channels it has.
        asked: The share that was to go; None where the method was told none.
        why: Why another share went, or with which other layers it goes; empty if neither.
    """

    layer: str
    width: int
    kept: int
    asked: float | None
    why: str = ''

    @property
    def got(self) -> float:
        """The share that went."""
        return 1 - self.kept / self.width


def explained(
    pruner: Pruner, architecture: PrunedArchitecture, result: PruneResult
) -> list[Explained]:
    """What became of each layer of the backbone that has channels.

    Args:
        pruner: The method, as it was asked.
        architecture: What the network was.
        result: What the method gave.
    """
    told = pruner if result.goal is None else pruner.at(result.goal.setting)
    after, coupled = result.architecture, is_coupled(told)
    surgeon = Surgeon(architecture.skeleton(), architecture.input_shape, prefix='backbone.')
    names = [n for n in (architecture.widths if coupled else surgeon.layers()) if n in after.widths]
    ratios = told.ratios_of(names)
    ties = _ties(surgeon) if coupled else {}
    rows = []
    for name in names:
        width, kept = architecture.kept(name), after.kept(name)
        asked = ratios.get(name, 0.0) if ratios else None
        why = _why(told, surgeon, name, width, kept, asked, ties)
        rows.append(Explained(name, width, kept, asked, why))
    return rows


def is_coupled(pruner: Pruner) -> bool:
    """Whether a method takes layers with all that they are tied to."""
    return getattr(pruner, 'groups', None) == COUPLED


def _ties(surgeon: Surgeon) -> dict[str, tuple[Sequence[str], str | None]]:
    """Of each layer those of its group, and why the group stays whole."""
    return {n: (g.members, g.obstacle) for g in surgeon.coupling.groups for n in g.members}


def _why(
    pruner: Pruner,
    surgeon: Surgeon,
    name: str,
    width: int,
    kept: int,
    asked: float | None,
    ties: Mapping[str, tuple[Sequence[str], str | None]],
) -> str:
    if isinstance(pruner, PredefinedPruner) and matches(name, pruner.skip):
        return 'skipped'
    members, obstacle = ties.get(name, ((name,), None))
    if kept == width and asked != 0:
        found = obstacle if ties else why_whole(surgeon, name)
        return found or _rounding(pruner, kept) or 'the method keeps all of it'
    with_others = _named([one for one in members if one != name])
    if asked is not None and kept > num_keep(width, asked):
        return '; '.join(filter(None, [_rounding(pruner, kept), with_others]))
    return with_others


def _rounding(pruner: Pruner, kept: int) -> str:
    if not isinstance(pruner, PredefinedPruner):
        return ''
    if kept == pruner.min_channels:
        return f'min_channels is {kept}'
    return f'rounded up to a multiple of {pruner.round_to}' if pruner.round_to > 1 else ''


def _named(others: Sequence[str]) -> str:
    if not others:
        return ''
    more = f' and {len(others) - MOST_NAMES} more' if len(others) > MOST_NAMES else ''
    return f'goes with {", ".join(others[:MOST_NAMES])}{more}'
