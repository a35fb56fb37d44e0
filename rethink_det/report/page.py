"""The report of a study: Markdown, CSV, LaTeX, PNG plots and one self-contained HTML file.

Everything is read from ``results.json``, and of detectors from the files that
:mod:`.run_files` names. Markdown and HTML show the same tables.
"""

from collections.abc import Sequence
from pathlib import Path

from rethink_det.errors import UserError
from rethink_det.files import save_text
from rethink_det.layout import (
    PLOTS,
    REPORT_CSV,
    REPORT_HTML,
    REPORT_LATEX,
    REPORT_MARKDOWN,
    REPORT_TIDY,
)
from rethink_det.report.contact_sheet import TRUTH
from rethink_det.report.environment import NOT_RECORDED
from rethink_det.report.html import render
from rethink_det.report.latex import latex
from rethink_det.report.markdown import cell, markdown_table, prose
from rethink_det.report.not_as_asked import not_as_asked_note
from rethink_det.report.older_code import older_code_note
from rethink_det.report.operating_points import bases
from rethink_det.report.results import REMEDY, StudyResults
from rethink_det.report.run_result import RunResult
from rethink_det.report.sections import Section, section_of, section_of_points
from rethink_det.report.spreadsheets import flat, tidy_csv, wide_csv
from rethink_det.report.tables import Table
from rethink_det.report.unscored import unscored_note
from rethink_det.report.verdict import overall_verdict
from rethink_det.report.verification import contradictions

TEMPLATE = 'study.html'
"""The page, for jinja2."""
NOTES = (
    'Mean ± sample standard deviation over the completed runs, one per seed.',
    'Differences are arm minus baseline. Runs of one parent are averaged; intervals and p values '
    "are Student's over the pairs of parents (or seeds) that both arms have, Welch's with fewer "
    'than two in common, and of one run each over resampled test images. "Two-level" ones cover '
    'other test images too.',
    'The columns "alone" take each comparison by itself, and no claim rests on them. Verdicts hold '
    'together: the comparison named before the runs is judged at 5 %, and only if it is different '
    'the others, by Holm. Equivalent: the interval lies within the margin. Open: not settled, '
    'which is no sign of equality.',
    'MACs are multiply-accumulates of convolutions and linear layers, one forward pass of the '
    'whole network; of a detector of an older release, of its backbone alone, which then is said.',
    'Training compute is three forward passes for each image and epoch, added up over all that '
    'an arm needs to have been trained. Inherited weights need the unpruned network; training '
    'from scratch needs it only where its weights told the shape, as in network slimming. A '
    'shape of given ratios is known beforehand. What pruning and evaluation took has a table of '
    'its own. The plot moves arms of about equal compute apart a little; the table has the '
    'numbers.',
)
"""What is said below the tables."""


def write_report(work_dir: str | Path) -> dict[str, Path]:
    """Write ``report.md``, ``.csv``, ``.tex``, ``.html`` and ``plots/`` beside ``results.json``.

    Returns:
        The paths by kind: ``markdown``, ``csv`` (one line a run), ``tidy`` (one line a run and
        metric), ``latex``, ``html`` and ``plots`` (the folder).

    Raises:
        UserError: ``work_dir`` has no readable ``results.json``, or one that says something else
            than its runs. Another file of a run that is damaged is left out, which is said.

    Example:
        >>> from rethink_det import write_report
        >>> sorted(write_report('work'))
        ['csv', 'html', 'latex', 'markdown', 'plots', 'tidy']
    """
    work_dir = Path(work_dir)
    results = StudyResults.read(work_dir)
    if wrong := next(contradictions(results, work_dir), None):
        raise UserError(f'{wrong}; {REMEDY}')
    rows, verdicts = results.summary, results.verdicts
    conclusions = results.concluded(verdicts)
    sections = [section_of(results, rows, verdicts, said, work_dir) for said in conclusions]
    points = [section_of_points(results, *place, work_dir) for place in bases(results.runs)]
    sections += [section for section in points if section is not None]
    overall = overall_verdict(conclusions, verdicts)
    failed = Table(
        'Runs without a result',
        ['arm', 'stage', 'model', 'seed', 'status', 'error'],
        [[r.arm, r.stage, r.model, str(r.seed), r.status, _error(r)] for r in results.incomplete],
    )
    environment = _environment(results)
    notes = (results.description, unscored_note(results.runs), not_as_asked_note(results.runs))
    introduction = [text for text in notes if text]
    page = (results, overall, introduction, sections, failed, environment)
    written = {
        'markdown': (work_dir / REPORT_MARKDOWN, _markdown(*page)),
        'csv': (work_dir / REPORT_CSV, wide_csv(results.runs)),
        'tidy': (work_dir / REPORT_TIDY, tidy_csv(results.study, results.runs)),
        'latex': (work_dir / REPORT_LATEX, latex(results.study, sections)),
        'html': (work_dir / REPORT_HTML, _html(*page)),
    }
    for path, text in written.values():
        save_text(text, path)
    return {kind: path for kind, (path, _) in written.items()} | {PLOTS: work_dir / PLOTS}


def _error(run: RunResult) -> str:
    """The end of the run's error: the folder of the run has the rest."""
    text = (run.error or '–').strip()
    return text if len(text) <= 400 else f'… {text[-400:]}'


def _environment(results: StudyResults) -> list[tuple[str, str]]:
    """What stands in the file, and of one of before that its runs kept none."""
    told = flat(results.environment)
    kept = any(run.environment for run in results.runs)
    if told and not kept:
        told = [*told, ('of each run', f'{NOT_RECORDED}; {_LAST}')]
    other = older_code_note(results.runs)
    return [*told, ('other code', other)] if other else told


_LAST = 'the above is of whoever ran the study last'


def _html(
    results: StudyResults,
    overall: str,
    introduction: Sequence[str],
    sections: Sequence[Section],
    failed: Table,
    environment: Sequence[tuple[str, str]],
) -> str:
    return render(
        TEMPLATE,
        title=results.title or results.study,
        results=results,
        overall=overall,
        introduction=introduction,
        sections=sections,
        failed=failed,
        environment=environment,
        notes=NOTES,
        truth=TRUTH,
    )


def _markdown(
    results: StudyResults,
    overall: str,
    introduction: Sequence[str],
    sections: Sequence[Section],
    failed: Table,
    environment: Sequence[tuple[str, str]],
) -> str:
    parts = [f'# {cell(results.title or results.study)}', f'**{cell(overall)}**']
    parts += map(prose, introduction)
    for section in sections:
        parts += [f'## {cell(section.title)}', cell(section.sentence)]
        for plot in section.plots:
            parts += filter(
                None, (f'![{cell(plot.title)}]({PLOTS}/{plot.png.name})', prose(plot.note))
            )
        for table in section.tables:
            parts += markdown_table(table)
        if section.sheet:
            sheet, png = section.sheet
            parts += ['### Detections', f'![Detections]({PLOTS}/{png.name})', prose(sheet.note)]
    parts += markdown_table(failed) if failed.rows else []
    parts += ['## How to read this', '\n'.join(f'* {note}' for note in NOTES)]
    if environment:
        parts += markdown_table(Table('Environment', ['key', 'value'], [*map(list, environment)]))
    return '\n\n'.join(parts) + '\n'
