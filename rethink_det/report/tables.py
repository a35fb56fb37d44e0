"""The tables of a report: a metric by arm, and what the arms cost."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from rethink_det.arms import ARMS
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, Row, by_arm, interval, mean_std
from rethink_det.report.units import count


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


def metric_table(rows: Sequence[Row], runs: Sequence[RunResult]) -> Table:
    """One metric by arm, every seed's value, and the difference to the baseline.

    Args:
        rows: The arms of one (stage, model, metric), at least one, in the order to show.
        runs: The completed runs of that (stage, model).
    """
    stage = rows[0].stage
    metric = METRICS[stage][rows[0].metric]
    seeds = sorted({seed for row in rows for seed in row.values})
    body = []
    for row in rows:
        each = ' · '.join(metric.text(row.values.get(seed)) for seed in seeds)
        body.append([row.arm, mean_std(row), str(row.n), each, *_difference(row)])
    columns = ['arm', metric.label, 'n']
    columns.append(f'seed {" · ".join(map(str, seeds))}')
    columns += [f'difference to {ARMS.baseline(stage).name}', '95 % CI', 'p', 'test']
    counted = {(row.arm, seed) for row in rows for seed in row.values}
    lost = [f'{r.arm} seed {r.repetition}' for r in runs if (r.arm, r.repetition) not in counted]
    note = f'Completed without a finite value, left out: {", ".join(lost)}.' if lost else ''
    return Table(metric.name, columns, body, note)


def _difference(row: Row) -> list[str]:
    if row.difference is None:
        return ['baseline' if row.arm == ARMS.baseline(row.stage).name else '–', '–', '–', '–']
    gap = row.difference
    value = METRICS[row.stage][row.metric].text(gap.value, signed=True)
    p = '–' if gap.p_value is None else '< 0.001' if gap.p_value < 0.001 else f'{gap.p_value:.3f}'
    return [value, interval(row) or '–', p, gap.method or '–']


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
    unpruned = numbers(arms.get(reference, []), 'total_train_macs')
    shapes = sorted({'×'.join(map(str, r.input_shape)) for r in runs if r.input_shape})
    devices = sorted({r.latency_device for r in runs if r.latency_device})
    columns = ['arm', 'parameters', f'MACs at {", ".join(shapes)}' if shapes else 'MACs', 'epochs']
    columns += ['total training compute, MACs', f'relative to {reference}']
    columns.append(f'latency, ms (batch 1{"".join(f", {d}" for d in devices)})')
    columns.append('published')
    body = []
    for arm, cell in arms.items():
        spent = numbers(cell, 'total_train_macs')
        relative = f'{fmean(spent) / fmean(unpruned):.2f} ×' if spent and any(unpruned) else '–'
        sizes = [span(numbers(cell, key), count) for key in ('params', 'macs')]
        sizes.append(span(numbers(cell, 'epochs'), '{:g}'.format))
        sizes += [span(spent, count), relative]
        times = numbers(cell, 'latency_ms') if latency else []
        sizes.append(span(times, '{:.2f}'.format))
        body.append([arm, *sizes, _published(cell, metric)])
    counted = 'MACs of conv + linear, one forward pass. Training compute includes needed parents.'
    note = ' '.join([counted, *_sized_by(runs), *([note] if note else [])])
    return Table('Cost', *filled(columns, body), note)


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
