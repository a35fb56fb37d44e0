"""What the arms of a (stage, model) took: training, pruning, evaluation, and hours of devices."""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.report.statistics import by_arm
from rethink_det.report.tables import Table, span
from rethink_det.report.training_facts import FLOAT32, TOGETHER
from rethink_det.report.units import count

HOUR = 3600
NOTE = (
    'Means over seeds, MACs of this run and, where it says so, of all that it cannot do without, '
    'too: a parent that several runs share is counted in each of them. A pruner counts with the '
    'passes in which it looks at images, three of a forward one for one with a gradient; what it '
    'computes besides is in the hours alone, as are loading of data, the loss, the optimizer, '
    'tracing, and the pictures and times that are taken of a detector. Hours are those of the '
    'clock times devices, all attempts of a run together, and of runs that share a device each by '
    'its own clock. An evaluation right after pruning, on which no result rests, is not in it.'
)


def spent_table(runs: Iterable[RunResult]) -> Table | None:
    """By arm what it took, and by whom that is not counted; None if no run tells.

    Args:
        runs: The completed runs of one (stage, model).
    """
    arms: dict[str, list[RunResult]] = {}
    for run in sorted(runs, key=by_arm):
        arms.setdefault(run.arm, []).append(run)
    body = [[arm, *_cells(own)] for arm, own in arms.items()]
    if not any(run.spent for own in arms.values() for run in own):
        return None
    columns = [
        'arm', 'training, MACs', 'evaluation, MACs', 'training with parents, MACs',
        'pruning with parents, MACs', 'evaluation with parents, MACs', 'in all, MACs', 'hours',
        'hours with parents', 'hours of all seeds',
    ]  # fmt: skip
    note = ' '.join([NOTE, *_other_precisions(arms), *_shared(arms), *_left_out(arms)])
    return Table('What it cost', columns, body, note)


def _cells(runs: Sequence[RunResult]) -> list[str]:
    own, everything = ([getattr(run, name) or Spent() for run in runs] for name in NAMES)
    return [
        _macs(own, lambda spent: spent.training),
        _macs(own, lambda spent: spent.evaluation),
        _macs(everything, lambda spent: spent.training),
        _macs(everything, lambda spent: spent.pruning),
        _macs(everything, lambda spent: spent.evaluation),
        _macs(everything, lambda spent: spent.macs),
        hours(own, fmean),
        hours(everything, fmean),
        hours(own, sum),
    ]


NAMES = ('spent', 'total_spent')


def _macs(spent: Sequence[Spent], tell: Callable[[Spent], float | None]) -> str:
    """Mean and range of those that are known."""
    return span([value for value in map(tell, spent) if value is not None], count)


def hours(spent: Sequence[Spent], of: Callable[[Sequence[float]], float]) -> str:
    """``0.42 GPU``, ``3.1 CPU core + 0.2 GPU``; a dash if one of them is unknown.

    Args:
        spent: Of some runs.
        of: The mean, or the sum.
    """
    told = [one.device_s for one in spent]
    known = [one for one in told if one is not None]
    if not known or len(known) < len(told):
        return '–'
    kinds = dict.fromkeys(kind for one in known for kind in one)
    each = {kind: of([one.get(kind, 0) for one in known]) / HOUR for kind in kinds}
    return ' + '.join(f'{value:.3g} {kind}' for kind, value in each.items()) or '0'


def _other_precisions(arms: dict[str, list[RunResult]]) -> list[str]:
    """Multiply-adds of another precision than is usual take other time and energy."""
    found: dict[str, list[str]] = {}
    for arm, runs in arms.items():
        told = {run.training.precision for run in runs if run.training}
        for precision in sorted(one for one in told if one not in (None, FLOAT32)):
            found.setdefault(precision, []).append(arm)
    return [
        f'MACs of training are in {precision}: {", ".join(names)}.'
        for precision, names in found.items()
    ]


def _shared(arms: dict[str, list[RunResult]]) -> list[str]:
    """Devices that computed several runs together are counted once."""
    together = [
        arm
        for arm, runs in arms.items()
        if any(run.training is not None and run.training.computed == TOGETHER for run in runs)
    ]
    if not together:
        return []
    named = ', '.join(together)
    return [f'Computed together with other runs, hours are a share of those of the group: {named}.']


def _left_out(arms: dict[str, list[RunResult]]) -> list[str]:
    """What is in none of the numbers, with the arms that it is true of."""
    found: dict[str, list[str]] = {}
    for arm, runs in arms.items():
        told = [(run.total_spent or run.spent) for run in runs]
        words = [word for one in told if one is not None for word in one.not_counted]
        words += [OLDER] if None in told else []
        for word in dict.fromkeys(words):
            found.setdefault(word, []).append(arm)
    parts = [f'{word} ({", ".join(names)})' for word, names in found.items()]
    return [f'Not counted: {"; ".join(parts)}.'] if parts else []


OLDER = 'everything but training, of runs of an older release'
