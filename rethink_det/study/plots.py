"""The plots of a report: every seed a dot, each arm one colour and marker throughout.

The only module that imports matplotlib, by its object-oriented API (no pyplot state). Colours
are those of Okabe and Ito, told apart under the common kinds of colour blindness.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rethink_det.study.results import RunResult
from rethink_det.study.statistics import BASELINE, METRICS, Metric, Row

# Colour and marker by arm; prune-c is fine-tune's counterpart in a detector, so they share.
ARM_STYLE = {
    'unpruned': ('#7f858d', 's'),
    'fine-tune': ('#0072b2', 'o'),
    'prune-c': ('#0072b2', 'o'),
    'prune-d': ('#56b4e9', 'P'),
    'scratch-e': ('#e69f00', '^'),
    'scratch-b': ('#d55e00', 'D'),
    'lottery': ('#cc79a7', 'v'),
    'random': ('#009e73', 'X'),
}
OTHER_STYLE = ('#9a6b3f', '*')
INK, MUTED, GRID = '#1d2430', '#5b6472', '#dfe3e8'
WIDTH = 6.4  # inches
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'.replace('"', '&quot;')


@dataclass(frozen=True)
class Scale:
    """A unit for large counts: value / factor is shown with ``prefix``."""

    factor: float
    prefix: str


def scale_of(largest: float) -> Scale:
    """The prefix (k, M, G, T, P, E) that brings ``largest`` between 1 and 1000."""
    for power, prefix in ((18, 'E'), (15, 'P'), (12, 'T'), (9, 'G'), (6, 'M'), (3, 'k')):
        if abs(largest) >= 10**power:
            return Scale(10.0**power, prefix)
    return Scale(1.0, '')


def style_of(arm: str) -> tuple[str, str]:
    """Colour and marker of an arm; arms unknown to the project share one."""
    return ARM_STYLE.get(arm, OTHER_STYLE)


def metric_figure(rows: Sequence[Row]) -> Figure:
    """One metric by arm: seeds as dots, mean ± std as a bar, the baseline's mean dashed.

    ``rows``: the arms of one (stage, model, metric), at least one, in the order to show.
    """
    metric = METRICS[rows[0].stage][rows[0].metric]
    figure, axes = _figure(0.9 + 0.46 * len(rows))
    for place, row in enumerate(rows):
        _draw_arm(axes, place, row, metric)
        if row.arm == BASELINE[row.stage]:
            axes.axvline(row.mean * metric.scale, color=MUTED, linewidth=0.8, dashes=(4, 3))
    axes.set_yticks(range(len(rows)), [_literal(row.arm) for row in rows])
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.grid(axis='x', color=GRID, linewidth=0.8)
    axes.set_xlabel(f'{metric.label}: each seed, mean ± std')
    axes.margins(x=0.08)
    return figure


def compute_figure(runs: Iterable[RunResult], arms: Sequence[Row]) -> Figure | None:
    """One metric against total training compute; None when no run tells its compute.

    ``runs``: those of the study; ``arms``: as ``metric_figure``'s rows, which pick the runs.
    """
    key = (arms[0].stage, arms[0].model)
    spent = {
        (run.arm, run.seed): run.total_train_macs
        for run in runs
        if (run.stage, run.model) == key and run.status == 'completed' and run.total_train_macs
    }
    points = {row.arm: [s for s in row.values if (row.arm, s) in spent] for row in arms}
    if not any(points.values()):
        return None
    metric = METRICS[arms[0].stage][arms[0].metric]
    scale = scale_of(max(spent.values()))
    figure, axes = _figure(3.5)
    for row in arms:
        seeds = points[row.arm]
        if seeds:
            x = [spent[row.arm, seed] / scale.factor for seed in seeds]
            _draw_points(axes, row.arm, x, [row.values[seed] * metric.scale for seed in seeds])
    axes.set_xlim(0, 1.06 * max(spent.values()) / scale.factor)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_xlabel(f'training compute, parents included ({scale.prefix}MACs)')
    axes.set_ylabel(metric.label)
    axes.margins(y=0.1)
    columns = len(arms) if len(arms) <= 6 else 4
    style = {'frameon': False, 'fontsize': 9, 'labelcolor': INK, 'columnspacing': 1.2}
    style |= {'handletextpad': 0.3, 'ncols': columns}
    handles = [h[0] for h in axes.get_legend_handles_labels()[0]]
    labels = axes.get_legend_handles_labels()[1]
    figure.legend(handles, labels, loc='outside lower center', **style)
    return figure


def to_svg(figure: Figure, label: str) -> str:
    """The figure as an ``<svg>`` element for HTML: no links out, colours that follow the page.

    Text stays text, ink and grid become the CSS variables ``--ink``, ``--muted`` and ``--grid``,
    and ``label`` is what a screen reader says.
    """
    buffer = io.StringIO()
    with rc_context({'svg.fonttype': 'none', 'svg.hashsalt': 'rethink_det'}):
        figure.savefig(buffer, format='svg', transparent=True)
    svg = buffer.getvalue()
    svg = re.sub(r'<metadata>.*?</metadata>', '', svg[svg.index('<svg') :], flags=re.DOTALL)
    for colour, name in ((INK, 'ink'), (MUTED, 'muted'), (GRID, 'grid')):
        svg = svg.replace(colour, f'var(--{name}, {colour})')
    svg = re.sub(r'(font: [^;\"]*?px) [^;\"]*', rf'\1 {FONTS}', svg)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', '', svg)  # HTML knows both without
    label = label.replace('&', '&amp;').replace('<', '&lt;').replace('"', '&quot;')
    return svg.replace('<svg ', f'<svg role="img" aria-label="{label}" ', 1).strip()


def save_png(figure: Figure, path: str | Path, dpi: int = 160) -> Path:
    """Write the figure to ``path`` on white, making folders as needed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format='png', dpi=dpi, facecolor='white', metadata={'Software': None})
    return path


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for side in ('top', 'right', 'left'):
        axes.spines[side].set_visible(False)
    axes.spines['bottom'].set_color(MUTED)
    axes.tick_params(colors=INK, length=0, labelsize=10)
    axes.xaxis.label.set(color=MUTED, size=10)
    axes.yaxis.label.set(color=MUTED, size=10)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.set_axisbelow(True)
    return figure, axes


def _draw_arm(axes: Axes, place: int, row: Row, metric: Metric) -> None:
    """One line of ``metric_figure``: the bar above, the seeds' dots spread a little below."""
    colour, marker = style_of(row.arm)
    values = [value * metric.scale for value in row.values.values()]
    spread = [place + 0.2 + 0.12 * (i % 2) for i in range(len(values))]
    axes.plot(values, spread, marker, color=colour, alpha=0.6, markersize=5, markeredgewidth=0)
    error = None if row.std is None else row.std * metric.scale
    bar = {'elinewidth': 2, 'capsize': 4, 'capthick': 2, 'markersize': 8}
    axes.errorbar(
        row.mean * metric.scale, place - 0.08, xerr=error, fmt=marker, color=colour, **bar
    )


def _draw_points(axes: Axes, arm: str, x: list[float], y: list[float]) -> None:
    """One arm of ``compute_figure``: small dots for seeds, a large one for mean ± std."""
    colour, marker = style_of(arm)
    axes.plot(x, y, marker, color=colour, alpha=0.45, markersize=5, markeredgewidth=0)
    bar = {'elinewidth': 1.5, 'capsize': 3, 'markersize': 8, 'label': _literal(arm)}
    error = stdev(y) if len(y) > 1 else None
    axes.errorbar(fmean(x), fmean(y), yerr=error, fmt=marker, color=colour, **bar)


def _literal(text: str) -> str:
    """``text`` that matplotlib takes as it stands: a dollar sign starts no formula."""
    return text.replace('$', r'\$')
