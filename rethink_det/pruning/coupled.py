"""Which units of coupled groups stay: by a ratio of each, by a target, or by one ranking of all.

Source: DepGraph (arXiv 2301.12900), section 3.3: the scores of what is tied together are added
up, and divided by their mean over a group before groups are ranked together.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction

import torch
from torch import Tensor

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.coupled_group import CoupledGroup
from rethink_det.errors import UserError
from rethink_det.pruning.ranking import largest, strongest
from rethink_det.pruning.ratios import matches, targets_from_architecture

FREE, COUPLED = GROUPS = ('free', 'coupled')
LAYER, GLOBAL = SCOPES = ('layer', 'global')

Scores = Sequence[Tensor]
"""Of each kind of a group's units their scores ``(units,)``."""


@dataclass(frozen=True)
class Least:
    """What a layer keeps.

    Attributes:
        channels: So many at least, or all.
        multiple: A multiple of this, or all.
    """

    channels: int = 1
    multiple: int = 1

    def allows(self, kept: int, width: int) -> bool:
        """Whether a layer of some width may keep so many."""
        return kept == width or (kept >= self.channels and kept % self.multiple == 0)


@dataclass(frozen=True)
class Asked:
    """What is asked of a group: how many units of each kind stay, or what share of all.

    Attributes:
        group: The group.
        ratio: The share that goes.
        numbers: Units of each kind that stay; of a ranking of all groups the fewest.
    """

    group: CoupledGroup
    ratio: float
    numbers: Sequence[int]


def asked_by_target(
    groups: Sequence[CoupledGroup],
    architecture: PrunedArchitecture,
    target: PrunedArchitecture,
) -> list[Asked]:
    """What leaves the widths of a target.

    Raises:
        UserError: The target is of another network, or has widths that do not go together.
    """
    counts = targets_from_architecture(architecture, target)
    asked = []
    for group in groups:
        widths = {name: counts.get(name, width) for name, width in group.widths.items()}
        if widths != dict(group.widths):
            asked.append(Asked(group, 0, group.numbers_for(widths)))
    return asked


def asked_by_ratio(
    groups: Sequence[CoupledGroup],
    ratios: Mapping[str, float],
    skip: Sequence[str],
    least: Least,
    scope: str,
) -> list[Asked]:
    """What a ratio asks of each group that can be cut.

    Args:
        groups: All of them.
        ratios: By pattern; a group takes the first one that matches the name of a layer of it.
        skip: Patterns; groups with such a layer stay whole.
        least: What every layer keeps.
        scope: ``'layer'``: so much of each; ``'global'``: of all units together.

    Raises:
        UserError: A pattern matches nothing, or one ranking has several ratios.

    Warns:
        UserWarning: Layers keep more than asked, or groups stay whole, and why.
    """
    _check_patterns(groups, [*ratios, *skip])
    wanted = [(group, _ratio_of(group, ratios, skip)) for group in groups]
    _warn_of_whole([group for group, ratio in wanted if ratio and group.obstacle])
    wanted = [(group, ratio) for group, ratio in wanted if ratio and not group.obstacle]
    if scope == LAYER:
        return [Asked(g, r, _by_ratio(g, r, least)) for g, r in wanted]
    if len({ratio for _, ratio in wanted}) > 1:
        raise UserError("scope='global' ranks all groups together: give one ratio for all.")
    return [Asked(g, r, _at_least(g, Fraction(0), least)) for g, r in wanted]


def chosen(asked: Asked, scores: Scores) -> dict[str, tuple[int, ...]]:
    """What the layers of a group keep: of each kind the units of largest score."""
    return asked.group.kept(
        unit
        for units, score, number in zip(asked.group.kinds, scores, asked.numbers, strict=True)
        for unit, stays in zip(units, strongest(score, number).tolist(), strict=True)
        if stays
    )


def ranked(asked: Sequence[Asked], scores: Sequence[Scores]) -> list[Asked]:
    """One threshold for all groups: how much of each stays.

    Args:
        asked: Of all groups, with the same ratio; what a group keeps at least.
        scores: Of each.
    """
    if not asked:
        return []
    joined = [torch.cat(list(kinds)) for kinds in scores]
    relative = [score / score.mean().clamp_min(torch.finfo(score.dtype).tiny) for score in joined]
    stays = largest(torch.cat(relative), asked[0].ratio).split([len(score) for score in joined])
    return [
        Asked(one.group, one.ratio, _no_fewer(one, Fraction(int(part.sum()), len(part))))
        for one, part in zip(asked, stays, strict=True)
    ]


def _no_fewer(asked: Asked, share: Fraction) -> list[int]:
    numbers = asked.group.numbers(share)
    return [max(pair) for pair in zip(numbers, asked.numbers, strict=True)]


def _ratio_of(group: CoupledGroup, ratios: Mapping[str, float], skip: Sequence[str]) -> float:
    if any(matches(member, skip) for member in group.members):
        return 0
    matching = (p for p in ratios if any(fnmatchcase(member, p) for member in group.members))
    return next((ratios[pattern] for pattern in matching), 0)


def _by_ratio(group: CoupledGroup, ratio: float, least: Least) -> list[int]:
    share = 1 - Fraction(str(ratio))
    numbers = _at_least(group, share, least)
    narrow = group.widths_of(group.numbers(share))
    name = min(narrow, key=narrow.__getitem__)
    if narrow[name] < min(least.channels, group.widths[name]):
        warnings.warn(
            f'A ratio of {ratio} would leave {name} {narrow[name]} of its {group.widths[name]} '
            f'channels; it keeps {group.widths_of(numbers)[name]}.',
            stacklevel=4,
        )
    return numbers


def _growing(group: CoupledGroup, share: Fraction) -> Iterator[list[int]]:
    """Units of each kind for a share, and for all larger ones; these are sought only if asked."""
    yield group.numbers(share)
    yield from map(group.numbers, (larger for larger in group.shares() if larger > share))


def _at_least(group: CoupledGroup, share: Fraction, least: Least) -> list[int]:
    """Units of each kind: a share of them, or the next that leaves every layer enough."""
    for numbers in _growing(group, share):
        widths = group.widths_of(numbers)
        if all(least.allows(widths[name], group.widths[name]) for name in widths):
            return numbers
    return group.numbers(Fraction(1))


def _check_patterns(groups: Sequence[CoupledGroup], patterns: Sequence[str]) -> None:
    members = [member for group in groups for member in group.members]
    for pattern in patterns:
        if not any(fnmatchcase(member, pattern) for member in members):
            raise UserError(
                f'{pattern!r} matches no prunable layer; they are {", ".join(members) or "none"}.'
            )


def _warn_of_whole(groups: Sequence[CoupledGroup]) -> None:
    if groups:
        told = '; '.join(f'{", ".join(group.members)}: {group.obstacle}' for group in groups)
        warnings.warn(f'Some layers stay whole. {told}.', stacklevel=4)
