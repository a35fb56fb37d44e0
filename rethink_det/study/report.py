"""The report of a study: Markdown, CSV, PNG plots and one self-contained HTML file.

Everything is read from ``results.json``. Markdown and HTML show the same tables.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rethink_det.files import save_text
from rethink_det.study import plots
from rethink_det.study.results import RunResult, StudyResults
from rethink_det.study.statistics import (
    BASELINE,
    METRICS,
    Row,
    arm_rank,
    interval,
    mean_std,
    primary_metric,
)
from rethink_det.study.verdict import Verdict, overall_verdict

TEMPLATE = 'report_template.html'
NOTES = (
    'Mean ± sample standard deviation over the completed runs, one per seed.',
    'Differences are arm minus baseline, with a 95 % confidence interval of the t distribution: '
    'paired over seeds when both arms have the same ones (arms of a seed share their parent), '
    "Welch's otherwise; none with fewer than two seeds or without spread between them.",
    'An interval covers the variation between seeds, not that of drawing another test set, and '
    'is not corrected for the number of comparisons.',
    'MACs are multiply-accumulates of convolutions and linear layers, one forward pass. '
    'Training compute counts the parents of a run too.',
)


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column names the arm. ``note`` stands below it."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ''


@dataclass(frozen=True)
class Plot:
    """A plot: what it shows, its PNG file, its SVG element."""

    title: str
    png: Path
    svg: Markup


@dataclass(frozen=True)
class Section:
    """What the report says of one (stage, model)."""

    title: str
    sentence: str
    case: str
    tables: list[Table]
    plots: list[Plot] = field(default_factory=list)


def write_report(work_dir: str | Path) -> dict[str, Path]:
    """Write ``report.md``, ``.csv``, ``.html`` and ``plots/*.png`` beside ``results.json``.

    Returns:
        The paths by kind: ``markdown``, ``csv``, ``html`` and ``plots`` (the folder).

    Raises:
        UserError: ``work_dir`` has no readable ``results.json``.
    """
    work_dir = Path(work_dir)
    results = StudyResults.load(work_dir / 'results.json')
    rows = results.summary
    folder = work_dir / 'plots'
    sections = [_section(results, rows, said, folder) for said in results.verdicts]
    overall = overall_verdict(results.verdicts)
    failed = Table(
        'Runs without a result',
        ['arm', 'stage', 'model', 'seed', 'status', 'error'],
        [[r.arm, r.stage, r.model, str(r.seed), r.status, _error(r)] for r in results.incomplete],
    )
    environment = _flat(results.environment)
    page = (results, overall, sections, failed, environment)
    written = {
        'markdown': (work_dir / 'report.md', _markdown(*page)),
        'csv': (work_dir / 'report.csv', _csv(results.runs)),
        'html': (work_dir / 'report.html', _html(*page)),
    }
    for path, text in written.values():
        save_text(text, path)
    return {kind: path for kind, (path, _) in written.items()} | {'plots': folder}


def _error(run: RunResult) -> str:
    """The end of the run's error: the folder of the run has the rest."""
    text = (run.error or '–').strip()
    return text if len(text) <= 400 else f'… {text[-400:]}'


def count(value: float | None) -> str:
    """Three digits and a prefix: ``11.2 M``; a dash for none."""
    if value is None:
        return '–'
    scale = plots.scale_of(value)
    shown = value / scale.factor
    digits = 0 if shown >= 100 or not scale.prefix else 1 if shown >= 10 else 2
    return f'{shown:.{digits}f} {scale.prefix}'.strip()


def _section(results: StudyResults, rows: Sequence[Row], said: Verdict, folder: Path) -> Section:
    stage, model = said.stage, said.model
    mine = [row for row in rows if (row.stage, row.model) == (stage, model)]
    runs = [r for r in results.runs if (r.stage, r.model) == (stage, model)]
    runs = [run for run in runs if run.status == 'completed']
    by_metric = {name: [row for row in mine if row.metric == name] for name in METRICS[stage]}
    primary = primary_metric(rows, stage, model)
    tables = [_metric_table(shown, runs) for shown in by_metric.values() if shown]
    tables += [_cost_table(runs, primary)] if runs else []
    shown = by_metric.get(primary, [])
    title = ' · '.join(filter(None, (stage.capitalize(), model)))
    drawn = _plots(runs, shown, title, folder) if shown else []
    return Section(title, said.sentence, said.case, tables, drawn)


def _metric_table(rows: Sequence[Row], runs: Sequence[RunResult]) -> Table:
    stage = rows[0].stage
    metric = METRICS[stage][rows[0].metric]
    seeds = sorted({seed for row in rows for seed in row.values})
    body = []
    for row in rows:
        each = ' · '.join(metric.text(row.values.get(seed)) for seed in seeds)
        body.append([row.arm, mean_std(row), str(row.n), each, *_difference(row)])
    columns = ['arm', metric.label, 'n']
    columns.append(f'seed {" · ".join(map(str, seeds))}')
    columns += [f'difference to {BASELINE[stage]}', '95 % CI', 'p', 'test']
    counted = {(row.arm, seed) for row in rows for seed in row.values}
    lost = [f'{r.arm} seed {r.seed}' for r in runs if (r.arm, r.seed) not in counted]
    note = f'Completed without a finite value, left out: {", ".join(lost)}.' if lost else ''
    return Table(metric.name, columns, body, note)


def _difference(row: Row) -> list[str]:
    if row.difference is None:
        return ['baseline' if row.arm == BASELINE[row.stage] else '–', '–', '–', '–']
    gap = row.difference
    value = METRICS[row.stage][row.metric].text(gap.value, signed=True)
    p = '–' if gap.p_value is None else '< 0.001' if gap.p_value < 0.001 else f'{gap.p_value:.3f}'
    return [value, interval(row) or '–', p, gap.method or '–']


def _cost_table(runs: Sequence[RunResult], metric: str | None) -> Table:
    """Means over seeds, the range beside them where seeds differ; empty columns are left out."""
    arms: dict[str, list[RunResult]] = {}
    for run in sorted(runs, key=lambda run: arm_rank(run.arm)):
        arms.setdefault(run.arm, []).append(run)
    unpruned = _numbers(arms.get('unpruned', []), 'total_train_macs')
    shapes = sorted({'×'.join(map(str, r.input_shape)) for r in runs if r.input_shape})
    devices = sorted({r.latency_device for r in runs if r.latency_device})
    columns = ['arm', 'parameters', f'MACs at {", ".join(shapes)}' if shapes else 'MACs', 'epochs']
    columns += ['training compute, MACs', 'relative to unpruned']
    columns.append(f'latency, ms (batch 1{"".join(f", {d}" for d in devices)})')
    columns.append('published')
    body = []
    for arm, cell in arms.items():
        spent = _numbers(cell, 'total_train_macs')
        relative = f'{fmean(spent) / fmean(unpruned):.2f} ×' if spent and any(unpruned) else '–'
        numbers = [_range(_numbers(cell, key), count) for key in ('params', 'macs')]
        numbers.append(_range(_numbers(cell, 'epochs'), '{:g}'.format))
        numbers += [_range(spent, count), relative]
        numbers.append(_range(_numbers(cell, 'latency_ms'), '{:.2f}'.format))
        body.append([arm, *numbers, _published(cell, metric)])
    used = [i for i in range(len(columns)) if i == 0 or any(line[i] != '–' for line in body)]
    rows = [[line[i] for i in used] for line in body]
    note = 'MACs of conv + linear, one forward pass. Training compute includes the parents.'
    return Table('Cost', [columns[i] for i in used], rows, note)


def _numbers(runs: Iterable[RunResult], key: str) -> list[float]:
    return [getattr(run, key) for run in runs if getattr(run, key) is not None]


def _range(values: Sequence[float], text: Any) -> str:
    if not values:
        return '–'
    low, mean, high = text(min(values)), text(fmean(values)), text(max(values))
    return mean if low == high else f'{mean} ({low} to {high})'


def _published(runs: Sequence[RunResult], metric: str | None) -> str:
    reference = next((run.reference for run in runs if run.reference), None)
    if reference is None or reference.get('value') is None or metric is None:
        return '–'
    value = METRICS[runs[0].stage][metric].text(reference['value'])
    source = reference.get('source')
    return f'{value} ({source})' if source else value


def _plots(runs: Sequence[RunResult], rows: Sequence[Row], title: str, folder: Path) -> list[Plot]:
    metric = METRICS[rows[0].stage][rows[0].metric].name
    model = ''.join(c if c.isalnum() or c in '-_.' else '-' for c in rows[0].model)
    drawn = []
    for kind, words, figure in (
        ('arms', f'{metric} by arm', plots.metric_figure(rows)),
        ('compute', f'{metric} against training compute', plots.compute_figure(runs, rows)),
    ):
        if figure is not None:
            stem = '_'.join(filter(None, (rows[0].stage, model, kind)))
            png = plots.save_png(figure, folder / f'{stem}.png')
            drawn.append(Plot(words, png, Markup(plots.to_svg(figure, f'{title}: {words}'))))
    return drawn


def _flat(data: Mapping[str, Any], prefix: str = '') -> list[tuple[str, str]]:
    """Nested keys as ``a.b``, values as text."""
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            lines += _flat(value, f'{prefix}{key}.')
        else:
            lines.append((f'{prefix}{key}', str(value)))
    return lines


def _csv(runs: Sequence[RunResult]) -> str:
    """One line per run, metrics and nested values in columns of their own (``a.b``)."""
    lines = [dict(_flat(run.to_dict())) for run in runs]
    columns = list(dict.fromkeys(key for line in lines for key in line))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval='', lineterminator='\n')
    writer.writeheader()
    writer.writerows({k: '' if v == 'None' else v for k, v in line.items()} for line in lines)
    return buffer.getvalue()


def _html(
    results: StudyResults,
    overall: str,
    sections: Sequence[Section],
    failed: Table,
    environment: Sequence[tuple[str, str]],
) -> str:
    loader = FileSystemLoader(Path(__file__).parent)
    jinja = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return jinja.get_template(TEMPLATE).render(
        results=results,
        overall=overall,
        sections=sections,
        failed=failed,
        environment=environment,
        notes=NOTES,
        colour=lambda arm: plots.style_of(arm)[0],
    )


def _markdown(
    results: StudyResults,
    overall: str,
    sections: Sequence[Section],
    failed: Table,
    environment: Sequence[tuple[str, str]],
) -> str:
    parts = [f'# {_cell(results.title or results.study)}', f'**{_cell(overall)}**']
    parts += [results.description] if results.description else []
    for section in sections:
        parts += [f'## {_cell(section.title)}', _cell(section.sentence)]
        parts += [f'![{_cell(plot.title)}](plots/{plot.png.name})' for plot in section.plots]
        for table in section.tables:
            parts += _markdown_table(table)
    parts += _markdown_table(failed) if failed.rows else []
    parts += ['## How to read this', '\n'.join(f'* {note}' for note in NOTES)]
    if environment:
        parts += _markdown_table(Table('Environment', ['key', 'value'], [*map(list, environment)]))
    return '\n\n'.join(parts) + '\n'


def _markdown_table(table: Table) -> list[str]:
    lines = [table.columns, ['---'] * len(table.columns), *table.rows]
    body = '\n'.join(f'| {" | ".join(map(_cell, line))} |' for line in lines)
    return [f'### {table.title}', body] + ([table.note] if table.note else [])


def _cell(text: str) -> str:
    """``text`` on one line of Markdown, with nothing that ends a cell or starts HTML."""
    return ' '.join(text.split()).replace('|', r'\|').replace('<', '&lt;')
