"""What a model comes to when it is pruned in several ways: a curve over its sizes, and controls.

The variants of a study are operating points: one network, pruned by several methods or by one to
several sizes. A line of the curve is an arm of one method; its points are the variants.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from rethink_det.arms import ARMS, STAGES
from rethink_det.report.break_even import BreakEven, break_even, interval_text, relative
from rethink_det.report.design import compare
from rethink_det.report.family import LEVEL
from rethink_det.report.judgement import scores_of
from rethink_det.report.run_result import COMPLETED, RunResult
from rethink_det.report.statistics import METRICS, Row, by_arm, primary_metric, spread, summarise
from rethink_det.report.tables import Table, filled, numbers, ratio
from rethink_det.report.units import count
from rethink_det.report.verdict import interval

SIZED = ('ratios', 'ratio', 'target', 'widths_of', 'seed', 'type')
"""Options of a pruner that say how much goes, or at random which, and not how it is chosen."""
NOT_JUDGED = 'No verdict rests on them: the intervals take each comparison by itself.'


@dataclass(frozen=True)
class Point:
    """An arm of a variant.

    Attributes:
        arm: Its name.
        method: What chose what to keep, ``'L1Norm'``; empty of the unpruned network.
        variant: Its name.
        macs: Mean multiply-adds of the network, or of a detector what the runs say.
        params: Mean number of parameters.
        row: The metric over its runs.
        runs: These.
    """

    arm: str
    method: str
    variant: str
    macs: float | None
    params: float | None
    row: Row
    runs: tuple[RunResult, ...]

    @property
    def line(self) -> tuple[str, str]:
        """What the points of a curve share."""
        return self.arm, self.method


def bases(runs: Iterable[RunResult]) -> list[tuple[str, str]]:
    """Stage and name of every model that was pruned in several ways."""
    found: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        base, _, variant = run.model.partition('/')
        if run.stage in STAGES and variant:
            found.setdefault((run.stage, base), set()).add(variant)
    several = [place for place, variants in found.items() if len(variants) > 1]
    return sorted(several, key=lambda place: (STAGES.index(place[0]), place[1]))


def points_of(runs: Iterable[RunResult], stage: str, base: str) -> list[Point]:
    """The operating points of a model, by its primary metric; one that variants share once.

    Args:
        runs: Of the study.
        stage: Of the model.
        base: Its name without that of a variant.
    """
    mine = [run for run in runs if run.stage == stage and run.model.startswith(f'{base}/')]
    rows = summarise(mine)
    metrics = [primary_metric(rows, stage, model) for model in dict.fromkeys(r.model for r in mine)]
    metric = next((name for name in METRICS[stage] if name in metrics), None)
    found: dict[Any, Point] = {}
    for row in (row for row in rows if row.metric == metric):
        cell = [run for run in mine if (run.model, run.arm) == (row.model, row.arm)]
        cell = [run for run in cell if run.status == COMPLETED]
        keys = tuple(run.key or run.model for run in cell)
        found.setdefault(keys, _point(row, cell))
    return sorted(found.values(), key=lambda one: (by_arm(one.row), one.method, -(one.macs or 0)))


def _point(row: Row, cell: Sequence[RunResult]) -> Point:
    macs, params = (numbers(cell, key) for key in ('macs', 'params'))
    return Point(
        row.arm,
        method_of(cell[0].pruner),
        row.model.partition('/')[2],
        fmean(macs) if macs else None,
        fmean(params) if params else None,
        row,
        tuple(cell),
    )


def method_of(pruner: Mapping[str, Any] | None) -> str:
    """A pruner's type and what it is told besides sizes; a published shape by its name."""
    if not pruner:
        return ''
    if 'type' not in pruner:
        return str(pruner.get('architecture', ''))
    name = str(pruner['type']).rpartition('.')[2].removesuffix('Pruner')
    more = [f'{key}={value}' for key, value in pruner.items() if key not in SIZED]
    return ' '.join([name, *more])


def points_table(points: Sequence[Point]) -> Table:
    """All points with their sizes."""
    metric = METRICS[points[0].row.stage][points[0].row.metric]
    whole = next((one for one in points if not one.method), None)
    params, macs = (whole.params, whole.macs) if whole else (None, None)
    columns = ['arm', 'method', 'variant', 'parameters', 'compression', 'MACs', 'speed-up']
    body = [
        [
            one.arm, one.method or '–', one.variant if one.method else '–', count(one.params),
            ratio(params, one.params), count(one.macs),
            ratio(macs, one.macs), spread(one.row.mean, one.row.std, metric),
            str(one.row.n),
        ]
        for one in points
    ]  # fmt: skip
    note = 'Compression and speed-up: how many times fewer parameters and MACs than unpruned.'
    return Table('Operating points', *filled([*columns, metric.label, 'n'], body), note)


def controls_table(points: Sequence[Point]) -> Table | None:
    """Each arm of a method beside those of its controls; None without controls."""
    metric = METRICS[points[0].row.stage][points[0].row.metric]
    by_place = {(one.variant, one.arm): one for one in points}
    body = []
    for control in points:
        method = by_place.get((_widths_of(control), control.arm))
        if method is None:
            continue
        found = compare(*(scores_of(one.runs, one.row.metric) for one in (method, control)))
        shown = interval(metric, found.estimate.interval(LEVEL)) or '–'
        scores = [spread(one.row.mean, one.row.std, metric) for one in (method, control)]
        names = [control.arm, method.variant, method.method, control.method]
        body.append([*names, *scores, metric.text(found.estimate.value, signed=True), shown])
    if not body:
        return None
    columns = ['arm', 'variant', 'method', 'control', f'method, {metric.unit}']
    columns += [f'control, {metric.unit}', 'method minus control', '95 % CI, alone']
    note = f'A control prunes the same parents to the same widths. {NOT_JUDGED}'
    return Table('Controls at equal widths', columns, body, note)


def _widths_of(point: Point) -> str:
    """The variant whose widths one has; of what is trained from its own shape none."""
    pruner = point.runs[0].pruner or {}
    return str(pruner.get('widths_of', '')).partition('/')[2]


def break_evens(runs: Iterable[RunResult], stage: str, base: str) -> list[BreakEven]:
    """Those of a model's variants that were trained with several budgets."""
    found = []
    mine = [run for run in runs if run.stage == stage and run.model.startswith(f'{base}/')]
    for model in dict.fromkeys(run.model for run in mine):
        cell = [run for run in mine if run.model == model]
        metric = primary_metric(summarise(cell), stage, model)
        one = break_even(cell, metric) if metric else None
        found += [one] if one else []
    return found


def break_even_table(found: Sequence[BreakEven]) -> Table:
    """Where training from scratch catches up, a line a model."""
    body = [
        [
            one.model.partition('/')[2] or one.model, one.baseline, one.outcome,
            relative(one, one.compute), interval_text(one).removeprefix('95 % interval '),
            f'{relative(one, one.tried[0])} to {relative(one, one.tried[-1])}',
            relative(one, one.spent), str(one.n), one.method or '–',
        ]
        for one in found
    ]  # fmt: skip
    columns = ['variant', 'caught up with', 'outcome', 'break-even', '95 % interval', 'tried']
    columns += ['baseline took', 'n', 'test']
    unit = "in multiples of the unpruned network's" if found[0].unpruned else 'in MACs'
    alone = ' of this training alone, as that of its parents is not known' if found[0].alone else ''
    note = (
        f'Training compute{alone}, {unit}. Between two budgets the metric is linear in the '
        'logarithm of the compute; nothing is claimed beyond them. '
        f'{ARMS.label(found[0].stage, ARMS.from_nothing(found[0].stage).name)} with several '
        'budgets (@) is a curve, which no verdict is about.'
    )
    return Table('Break-even', columns, body, note, of_arms=False, prose=True)
