"""The report of a study: Markdown, CSV, PNG plots and one self-contained HTML file.

Everything is read from ``results.json``, and of detectors from the files that
:mod:`.run_files` names. Markdown and HTML show the same tables.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rethink_det.files import save_text
from rethink_det.layout import PLOTS, REPORT_CSV, REPORT_HTML, REPORT_MARKDOWN
from rethink_det.report.contact_sheet import TRUTH
from rethink_det.report.plots.style import style_of
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import RunResult
from rethink_det.report.sections import Section, section_of
from rethink_det.report.tables import Table
from rethink_det.report.verdict import overall_verdict

TEMPLATE = 'page.html'
NOTES = (
    'Mean ± sample standard deviation over the completed runs, one per seed.',
    'Differences are arm minus baseline, with a 95 % confidence interval of the t distribution: '
    'paired over seeds when both arms have the same ones (arms of a seed share their parent), '
    "Welch's otherwise; none with fewer than two seeds or without spread between them.",
    'An interval covers the variation between seeds, not that of drawing another test set, and '
    'is not corrected for the number of comparisons.',
    'MACs are multiply-accumulates of convolutions and linear layers, one forward pass; of a '
    'detector, of its backbone alone.',
    'Training compute is three forward passes for each image and epoch, added up over all that '
    'an arm needs to have been trained. Inherited weights need the unpruned network; training '
    'from scratch needs it only where its weights told the shape, as in network slimming. A '
    'shape of given ratios is known beforehand. What the pruner computes is not counted. The '
    'plot moves arms of about equal compute apart a little; the table has the numbers.',
)


def write_report(work_dir: str | Path) -> dict[str, Path]:
    """Write ``report.md``, ``.csv``, ``.html`` and ``plots/*.png`` beside ``results.json``.

    Returns:
        The paths by kind: ``markdown``, ``csv``, ``html`` and ``plots`` (the folder).

    Raises:
        UserError: ``work_dir`` has no readable ``results.json``, or a file of a run is damaged.

    Example:
        >>> from rethink_det import write_report
        >>> sorted(write_report('work'))
        ['csv', 'html', 'markdown', 'plots']
    """
    work_dir = Path(work_dir)
    results = StudyResults.read(work_dir)
    rows = results.summary
    sections = [section_of(results, rows, said, work_dir) for said in results.verdicts]
    overall = overall_verdict(results.verdicts)
    failed = Table(
        'Runs without a result',
        ['arm', 'stage', 'model', 'seed', 'status', 'error'],
        [[r.arm, r.stage, r.model, str(r.seed), r.status, _error(r)] for r in results.incomplete],
    )
    environment = _flat(results.environment)
    page = (results, overall, sections, failed, environment)
    written = {
        'markdown': (work_dir / REPORT_MARKDOWN, _markdown(*page)),
        'csv': (work_dir / REPORT_CSV, _csv(results.runs)),
        'html': (work_dir / REPORT_HTML, _html(*page)),
    }
    for path, text in written.values():
        save_text(text, path)
    return {kind: path for kind, (path, _) in written.items()} | {PLOTS: work_dir / PLOTS}


def _error(run: RunResult) -> str:
    """The end of the run's error: the folder of the run has the rest."""
    text = (run.error or '–').strip()
    return text if len(text) <= 400 else f'… {text[-400:]}'


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
    lines = [dict(_flat(replace(run, plan=None, replicates=None).to_dict())) for run in runs]
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
        truth=TRUTH,
        colour=lambda arm: style_of(arm)[0],
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
        for plot in section.plots:
            parts += filter(None, (f'![{_cell(plot.title)}]({PLOTS}/{plot.png.name})', plot.note))
        for table in section.tables:
            parts += _markdown_table(table)
        if section.sheet:
            sheet, png = section.sheet
            parts += ['### Detections', f'![Detections]({PLOTS}/{png.name})', sheet.note]
    parts += _markdown_table(failed) if failed.rows else []
    parts += ['## How to read this', '\n'.join(f'* {note}' for note in NOTES)]
    if environment:
        parts += _markdown_table(Table('Environment', ['key', 'value'], [*map(list, environment)]))
    return '\n\n'.join(parts) + '\n'


def _markdown_table(table: Table) -> list[str]:
    lines = [table.columns, ['---'] * len(table.columns), *table.rows]
    body = '\n'.join(f'| {" | ".join(map(_cell, line))} |' for line in lines)
    if table.folded:
        body = f'<details><summary>Show</summary>\n\n{body}\n\n</details>'
    return [f'### {table.title}', body] + ([table.note] if table.note else [])


def _cell(text: str) -> str:
    """``text`` on one line of Markdown, with nothing that ends a cell or starts HTML."""
    return ' '.join(text.split()).replace('|', r'\|').replace('<', '&lt;')
