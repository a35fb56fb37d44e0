"""What the report says of one (stage, model): a sentence, plots, tables, detections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from rethink_det.layout import plot_file
from rethink_det.report.break_even import break_even, sentence_of
from rethink_det.report.contact_sheet import Sheet, contact_sheet
from rethink_det.report.cost_tables import spent_table
from rethink_det.report.detector_tables import (
    KINDS,
    breakdown_table,
    class_table,
    speed_table,
    stage_table,
)
from rethink_det.report.how_made import how_made_table
from rethink_det.report.latencies import side_by_side
from rethink_det.report.operating_points import (
    break_even_table,
    break_evens,
    controls_table,
    points_of,
    points_table,
)
from rethink_det.report.outcome import Verdict
from rethink_det.report.plots import (
    compute_figure,
    curves_figure,
    latency_figure,
    metric_figure,
    operating_points_figure,
)
from rethink_det.report.plots.style import save_png, to_svg
from rethink_det.report.results import StudyResults
from rethink_det.report.run_files import Curves, RunFiles
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, Row, primary_metric
from rethink_det.report.tables import Table, cost_table, metric_table
from rethink_det.report.training_compute import spent_by, unknown_note
from rethink_det.report.transfer_table import transfer_table, untuned_note
from rethink_det.report.verdict import Conclusion

JUDGED = {'bbox': 'boxes', 'segm': 'masks'}


@dataclass(frozen=True)
class Plot:
    """A plot: what it shows, its PNG file, its SVG element. ``note`` stands below it."""

    title: str
    png: Path
    svg: Markup
    note: str = ''


@dataclass(frozen=True)
class Section:
    """What the report says of one (stage, model); ``sheet`` with its PNG file.

    ``tables`` are all in the order to show, ``scores`` and ``cost`` those of them that a paper has.
    """

    title: str
    sentence: str
    outcome: str
    tables: list[Table]
    plots: list[Plot] = field(default_factory=list)
    sheet: tuple[Sheet, Path] | None = None
    scores: Sequence[Table] = ()
    cost: Table | None = None


def section_of(
    results: StudyResults,
    rows: Sequence[Row],
    verdicts: Sequence[Verdict],
    said: Conclusion,
    work_dir: Path,
) -> Section:
    """Everything about the (stage, model) of a conclusion; PNG files are written.

    Args:
        results: Of the study.
        rows: Its summary.
        verdicts: Of its comparisons.
        said: The conclusion.
        work_dir: Folder of the study.
    """
    stage, model = said.stage, said.model
    mine = [row for row in rows if (row.stage, row.model) == (stage, model)]
    runs = [r for r in results.runs if (r.stage, r.model) == (stage, model)]
    runs = [run for run in runs if run.status == 'completed']
    files = RunFiles(work_dir)
    runs, beside = side_by_side(runs, files.latencies())
    by_metric = {name: [row for row in mine if row.metric == name] for name in METRICS[stage]}
    primary = primary_metric(rows, stage, model)
    shown = by_metric[primary] if primary else []
    title = ' · '.join(filter(None, (stage.capitalize(), model)))
    draw = _Drawing(title, '_'.join(filter(None, (stage, _plain(model)))), work_dir)
    plots = _plots(runs, shown, draw) if shown else []
    judged = [v for v in verdicts if (v.stage, v.model) == (stage, model)]
    scores = [metric_table(arms, runs, judged) for arms in by_metric.values() if arms]
    caught = break_even(runs, primary) if primary else None
    catches_up = sentence_of(caught) if caught else ''
    sentence = ' '.join(filter(None, (said.sentence, catches_up, untuned_note(runs))))
    section = Section(title, sentence, said.outcome, scores, plots, scores=scores)
    detection = stage == 'detection'
    if detection and shown:
        section = _with_detections(section, runs, mine, shown, files, draw, beside)
    if runs:
        unknown = unknown_note(shown, spent_by(runs))
        told = any(plot.note == unknown for plot in plots)
        cost = cost_table(runs, primary, '' if told else unknown, latency=not detection)
        folded = [table for table in section.tables if table.folded]
        others = [table for table in section.tables if not table.folded]
        took = spent_table(runs)
        proof = None if detection else transfer_table(runs)
        costs = [cost, *([took] if took else [])]
        made = how_made_table(runs, files)
        unread = files.table()
        tables = [
            *([unread] if unread else []),
            *others,
            *costs,
            *folded,
            *([proof] if proof else []),
            made,
        ]
        section = replace(section, tables=tables, cost=cost)
    return section


def section_of_points(
    results: StudyResults, stage: str, base: str, work_dir: Path
) -> Section | None:
    """What a model came to over all ways of pruning it; None where nothing has a score.

    Args:
        results: Of the study.
        stage: Of the model.
        base: Its name without that of a variant.
        work_dir: Folder of the study.
    """
    points = points_of(results.runs, stage, base)
    if not points:
        return None
    title = f'{stage.capitalize()} · {base} · all variants'
    draw = _Drawing(title, f'{stage}_{_plain(base)}', work_dir)
    metric = METRICS[stage][points[0].row.metric].name
    words = f'{metric} against MACs of the network, a line an arm and method: mean ± std'
    plots = draw('points', words, operating_points_figure(points))
    caught = break_evens(results.runs, stage, base)
    tables = [points_table(points), controls_table(points)]
    tables += [break_even_table(caught)] if caught else []
    variants = dict.fromkeys(one.variant for one in points if one.method)
    sentence = f'{len(variants)} variants beside one another: {", ".join(variants)}.'
    return Section(title, sentence, '', [table for table in tables if table], plots)


def _with_detections(
    section: Section,
    runs: Sequence[RunResult],
    rows: Sequence[Row],
    shown: Sequence[Row],
    files: RunFiles,
    draw: '_Drawing',
    beside: bool,
) -> Section:
    """The section with what only detectors have.

    ``shown``: rows of the primary metric. ``beside``: whether latencies were measured side by side.
    """
    curves = {kind: files.curves(runs, kind) for kind in KINDS}
    sheet = contact_sheet(files.pictures(runs))
    tables = [
        *(breakdown_table(rows, kind) for kind in KINDS),
        speed_table(runs, shown, beside),
        stage_table(runs),
        *(class_table(found, kind) for kind, found in curves.items()),
        transfer_table(runs),
    ]
    return replace(
        section,
        tables=section.tables + [table for table in tables if table is not None],
        plots=section.plots + _detection_plots(runs, shown, curves, draw),
        sheet=None if sheet is None else (sheet, sheet.save(draw.path('sheet'))),
    )


@dataclass(frozen=True)
class _Drawing:
    """Where the plots of a section go."""

    title: str
    stem: str
    work_dir: Path

    def path(self, kind: str) -> Path:
        return self.work_dir / plot_file(self.stem, kind)

    def __call__(self, kind: str, words: str, figure: Figure | None, note: str = '') -> list[Plot]:
        """The plot as PNG and SVG; none without a figure."""
        if figure is None:
            return []
        png = save_png(figure, self.path(kind))
        return [Plot(words, png, Markup(to_svg(figure, f'{self.title}: {words}')), note)]


def _plots(runs: Sequence[RunResult], rows: Sequence[Row], draw: Callable) -> list[Plot]:
    metric = METRICS[rows[0].stage][rows[0].metric].name
    against = f'{metric} against training compute: mean ± std, and each seed left of it'
    unknown = unknown_note(rows, spent_by(runs))
    return [
        *draw('arms', f'{metric} by arm', metric_figure(rows)),
        *draw('compute', against, compute_figure(runs, rows), unknown),
    ]


def _detection_plots(
    runs: Sequence[RunResult], rows: Sequence[Row], curves: dict[str, Curves], draw: Callable
) -> list[Plot]:
    metric = METRICS[rows[0].stage][rows[0].metric].name
    plots = draw(
        'latency',
        f'{metric} against latency: mean ± std, and each seed',
        latency_figure(runs, rows),
    )
    for kind, found in curves.items():
        words = f'Precision against recall of {JUDGED[kind]}, mean over seeds'
        plots += draw(f'curves-{kind}', words, curves_figure(found))
    return plots


def _plain(name: str) -> str:
    return ''.join(c if c.isalnum() or c in '-_.' else '-' for c in name)
