"""The tables of a report: a metric by arm, and what the arms cost."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean, stdev

from rethink_det.arms import ARMS
from rethink_det.report.design import Compared, compare
from rethink_det.report.estimate import Estimate
from rethink_det.report.family import LEVEL
from rethink_det.report.judgement import scores_of
from rethink_det.report.outcome import Verdict
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, Metric, Row, by_arm, mean_std, spread
from rethink_det.report.training_compute import counted_alike, whose_compute
from rethink_det.report.units import count
from rethink_det.report.verdict import confidence, interval, is_usual


@dataclass(frozen=True)
class Table:
    """A table of texts; ``note`` stands below it.

    ``of_arms``: whether the first column names arms. ``folded``: long, and shown on demand.
    ``prose``: whether its cells are words, which wrap, and not numbers.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ''
    of_arms: bool = True
    folded: bool = False
    prose: bool = False


def metric_table(
    rows: Sequence[Row], runs: Sequence[RunResult], verdicts: Sequence[Verdict] = ()
) -> Table:
    """One metric by arm, every run's value, and the difference to the arm's rival.

    Args:
        rows: The arms of one (stage, model, metric), at least one, in the order to show.
        runs: The completed runs of that (stage, model).
        verdicts: Of that (stage, model), for its primary metric; another metric is not judged, and
            its table shows each difference by itself.
    """
    stage, name = rows[0].stage, rows[0].metric
    metric = METRICS[stage][name]
    judged = {v.comparison.arm: v for v in verdicts if is_usual(v, name)}
    rivals = _rivals(rows, verdicts)
    seeds = list(dict.fromkeys(seed for row in rows for seed in row.values))
    alone = {} if judged else _alone(rows, runs, rivals)
    several = len(set(rivals.values())) > 1
    body = []
    for row in rows:
        each = ' · '.join(metric.text(row.values.get(seed)) for seed in seeds)
        is_rival = row.arm in rivals.values()
        cells = ['baseline' if is_rival else '–', *'–' * (6 if judged else 3)]
        if row.arm in judged:
            cells = _judged_cells(metric, judged[row.arm])
        elif row.arm in alone:
            cells = _cells(metric, alone[row.arm].estimate)
        if several and row.arm in rivals and cells[0] not in ('–', 'baseline'):
            cells[0] = f'{cells[0]} to {rivals[row.arm]}'
        body.append([row.arm, mean_std(row), *_beside(row, runs), str(row.n), each, *cells])
    columns = ['arm', metric.label, *BESIDE, 'n', f'seed {" · ".join(map(str, seeds))}']
    one = next(iter(rivals.values()), ARMS.baseline(stage).name)
    columns += ['difference' if several else f'difference to {one}']
    columns += ['95 % CI, alone', 'p, alone', 'test']
    columns += ['all claims together', 'verdict', '80 % power'] if judged else []
    columns, body = _without_empty(columns, body, BESIDE)
    return Table(metric.name, columns, body, ' '.join(_metric_notes(rows, runs, judged)))


TOP5, BEFORE = BESIDE = ('Top-5, %', 'right after pruning')
"""Columns of a metric's table that are left out where nothing is known."""


def _beside(row: Row, runs: Sequence[RunResult]) -> list[str]:
    """Top-5 beside top-1, and the metric before any training of the pruned network."""
    mine = [run for run in runs if run.arm == row.arm and run.repetition in row.values]
    metric = METRICS[row.stage][row.metric]
    top5 = [run.metrics.get('accuracy/top5') for run in mine if row.metric == 'accuracy/top1']
    before = [(run.pruned_metrics or {}).get(row.metric) for run in mine]
    return [_mean_of(top5, metric), _mean_of(before, metric)]


def _mean_of(values: Iterable[float | None], metric: Metric) -> str:
    known = [value for value in values if value is not None and isfinite(value)]
    return spread(fmean(known), stdev(known) if len(known) > 1 else None, metric) if known else '–'


def _without_empty(
    columns: Sequence[str], rows: Sequence[Sequence[str]], names: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Columns and rows without those of these names that hold nothing but dashes."""
    empty = {i for i, one in enumerate(columns) if one in names and all(r[i] == '–' for r in rows)}
    kept = [i for i in range(len(columns)) if i not in empty]
    return [columns[i] for i in kept], [[row[i] for i in kept] for row in rows]


def _rivals(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Which arm each is compared with, as its verdict says or else the table of arms."""
    stage, arms = rows[0].stage, [row.arm for row in rows]
    told = {v.comparison.arm: v.comparison.baseline for v in verdicts if v.usual}
    found = {arm: told.get(arm) or ARMS.rival(stage, arm, arms) for arm in arms}
    return {arm: rival for arm, rival in found.items() if rival is not None}


def _alone(
    rows: Sequence[Row], runs: Sequence[RunResult], rivals: Mapping[str, str]
) -> dict[str, Compared]:
    """Each arm compared with its rival, where both have a value."""
    scores = {
        row.arm: scores_of([run for run in runs if run.arm == row.arm], row.metric) for row in rows
    }
    pairs = {arm: (scores.get(arm), scores.get(rival)) for arm, rival in rivals.items()}
    return {arm: compare(mine, base) for arm, (mine, base) in pairs.items() if mine and base}


def _cells(metric: Metric, estimate: Estimate) -> list[str]:
    """Difference, interval and p value by itself, and the method of these."""
    p = estimate.level_different
    shown = '–' if p is None else '< 0.001' if p < 0.001 else f'{p:.3f}'
    alone = interval(metric, estimate.interval(LEVEL)) or '–'
    return [metric.text(estimate.value, signed=True), alone, shown, estimate.method or '–']


def _judged_cells(metric: Metric, verdict: Verdict) -> list[str]:
    """The same of a verdict, and what it says together with the others."""
    together = '–'
    if verdict.interval is not None:
        together = f'{interval(metric, verdict.interval)} ({confidence(verdict.level)})'
    found = '–' if verdict.detectable is None else f'±{metric.text(verdict.detectable)}'
    return [
        *_cells(metric, verdict.estimate),
        together,
        verdict.outcome if verdict.judged else 'open, not judged',
        found,
    ]


def _metric_notes(
    rows: Sequence[Row], runs: Sequence[RunResult], judged: Mapping[str, Verdict]
) -> Iterator[str]:
    """What stands below a table of a metric."""
    metric = METRICS[rows[0].stage][rows[0].metric]
    counted = {(row.arm, seed) for row in rows for seed in row.values}
    lost = [f'{r.arm} seed {r.repetition}' for r in runs if (r.arm, r.repetition) not in counted]
    if lost:
        yield f'Completed without a finite value, left out: {", ".join(lost)}.'
    margins = {v.margin for v in judged.values() if v.margin is not None}
    if margins:
        yield f'Equivalent is what lies within ±{metric.text(max(margins))} points.'
    noises = [v.noise for v in judged.values() if v.noise is not None]
    spreads = [row.std for row in rows if row.std is not None]
    if noises and spreads:
        seeds, images = max(spreads), max(noises)
        more = 'more images than more seeds' if images > seeds else 'more seeds than more images'
        yield (
            f'Between seeds a score varies by up to ±{metric.text(seeds)} points, with other test '
            f'images by ±{metric.text(images)} (standard deviations): what is missing is {more}.'
        )
    points = [row.arm for row in rows if not ARMS.is_judged(row.arm)]
    if points:
        yield f'Not judged, but points of a curve over budgets: {", ".join(points)}.'
    flips = {arm: v.flips for arm, v in judged.items() if v.flips is not None}
    if flips:
        told = ', '.join(f'{arm} {p:.3f}' for arm, p in flips.items())
        pairs = min(len(v.gaps) for v in judged.values() if v.gaps)
        floor = f' With {pairs} pairs it cannot be below {2 / 2**pairs:g}.' if pairs < 6 else ''
        yield f'Sign-flip test, which assumes no normal distribution, p: {told}.{floor}'


def cost_table(
    runs: Sequence[RunResult], metric: str | None, note: str = '', latency: bool = True
) -> Table:
    """Means over seeds, the range beside them where seeds differ; empty columns are left out.

    Args:
        runs: The completed runs of one (stage, model), at least one.
        metric: The one that published numbers are of.
        note: Stands below the table, after what its numbers count.
        latency: Whether to show it; of detectors a table of its own does.
    """
    arms: dict[str, list[RunResult]] = {}
    for run in sorted(runs, key=by_arm):
        arms.setdefault(run.arm, []).append(run)
    reference = ARMS.reference(runs[0].stage).name
    alike = counted_alike(runs)
    unpruned = numbers([run for run in alike if run.arm == reference], 'total_train_macs')
    shapes = sorted({'×'.join(map(str, r.input_shape)) for r in runs if r.input_shape})
    devices = sorted({r.latency_device for r in runs if r.latency_device})
    columns = ['arm', 'parameters', 'compression', 'parameters of the backbone']
    columns += [f'MACs at {", ".join(shapes)}' if shapes else 'MACs', 'speed-up']
    columns += ['MACs of the backbone', 'epochs']
    columns += [f'total training compute{whose_compute(runs)}, MACs', f'relative to {reference}']
    columns.append(f'latency, ms (batch 1{"".join(f", {d}" for d in devices)})')
    columns.append('published')
    body = []
    for arm, cell in arms.items():
        spent = numbers([run for run in cell if run in alike], 'total_train_macs')
        relative = f'{fmean(spent) / fmean(unpruned):.2f} ×' if spent and any(unpruned) else '–'
        sizes = []
        for key in SIZES:
            mine, whole = (numbers(some, key) for some in (cell, arms.get(reference, [])))
            less = ratio(fmean(whole), fmean(mine)) if whole and mine else '–'
            sizes.append(span(mine, count))
            if key in COMPARED:
                sizes.append('–' if arm == reference else less)
        sizes.append(' or '.join(dict.fromkeys(map(epochs_of, cell))))
        sizes += [span(spent, count), relative]
        times = numbers(cell, 'latency_ms') if latency else []
        sizes.append(span(times, '{:.2f}'.format))
        body.append([arm, *sizes, _published(cell, metric)])
    counted = (
        'MACs of conv + linear, one forward pass. Compression and speed-up: times fewer parameters '
        f'and MACs than {reference}. Training compute includes needed parents.'
    )
    note = ' '.join([counted, *_of_detectors(runs), *_sized_by(runs), *([note] if note else [])])
    return Table('Cost', *filled(columns, body), note)


SIZES = ('params', 'backbone_params', 'whole_macs', 'macs_in_backbone')
COMPARED = ('params', 'whole_macs')


def epochs_of(run: RunResult) -> str:
    """``'8'``, and ``'8 + 8'`` where the weights were trained for 8 before, at the same task."""
    own = [] if run.epochs is None or (not run.epochs and run.earlier_epochs) else [run.epochs]
    told = ['?' if one is None else f'{one:g}' for one in (*(run.earlier_epochs or ()), *own)]
    return ' + '.join(told) or '–'


def _of_detectors(runs: Sequence[RunResult]) -> list[str]:
    """What stands for a detector's MACs."""
    regions = sorted({run.regions for run in runs if run.regions})
    told = [f'{" or ".join(map(str, regions))} regions go through the second stage.'] * bool(
        regions
    )
    older = [run for run in runs if run.counts_backbone_alone]
    if len(older) == len(runs):
        told.append(
            'Of these runs, of an older release, MACs and compute are of the backbone alone.'
        )
    elif older:
        names = ', '.join(dict.fromkeys(f'{run.arm} seed {run.repetition}' for run in older))
        told.append(f'Compute of the backbone alone, and so not shown: {names}.')
    return told


def ratio(whole: float | None, part: float | None) -> str:
    """How many times less a part is, ``2.13 ×``; a dash where that is unknown."""
    return f'{whole / part:.2f} ×' if whole and part else '–'


def _sized_by(runs: Sequence[RunResult]) -> list[str]:
    origins = sorted({run.input_origin for run in runs if run.input_origin})
    return [f'The size is that of {"; of ".join(origins)}.'] if origins else []


def filled(
    columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """Columns and rows without the columns, but for the first, that hold nothing but dashes."""
    used = [i for i in range(len(columns)) if i == 0 or any(line[i] != '–' for line in rows)]
    return [columns[i] for i in used], [[line[i] for i in used] for line in rows]


def numbers(runs: Iterable[RunResult], key: str) -> list[float]:
    """The field ``key`` of those runs that know it."""
    return [getattr(run, key) for run in runs if getattr(run, key) is not None]


def span(values: Sequence[float], text: Callable[[float], str]) -> str:
    """``mean (lowest to highest)``, the mean alone if they look the same, a dash for none."""
    if not values:
        return '–'
    low, mean, high = text(min(values)), text(fmean(values)), text(max(values))
    return mean if low == high else f'{mean} ({low} to {high})'


def _published(runs: Sequence[RunResult], metric: str | None) -> str:
    reference = next((run.reference for run in runs if run.reference), None)
    if reference is None or metric is None:
        return '–'
    value = METRICS[runs[0].stage][metric].text(reference.value)
    return f'{value} ({reference.source})' if reference.source else value
