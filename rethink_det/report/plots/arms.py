"""The plot of a metric by arm: every seed a dot, each arm one colour and marker throughout."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethink_det.arms import ARMS
from rethink_det.report.plots.style import GRID, MUTED, draw_mean, literal, new_figure, style_of
from rethink_det.report.statistics import METRICS, Metric, Row


def metric_figure(rows: Sequence[Row]) -> Figure:
    """One metric by arm: seeds as dots, mean ± std as a bar, the baseline's mean dashed.

    ``rows``: the arms of one (stage, model, metric), at least one, in the order to show.
    """
    metric = METRICS[rows[0].stage][rows[0].metric]
    figure, axes = new_figure(0.9 + 0.46 * len(rows))
    for place, row in enumerate(rows):
        _draw_arm(axes, place, row, metric)
        if row.arm == ARMS.baseline(row.stage).name:
            axes.axvline(row.mean * metric.scale, color=MUTED, linewidth=0.8, dashes=(4, 3))
    axes.set_yticks(range(len(rows)), [literal(row.arm) for row in rows])
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.grid(axis='x', color=GRID, linewidth=0.8)
    axes.set_xlabel(f'{metric.label}: each seed, mean ± std')
    axes.margins(x=0.08)
    return figure


def _draw_arm(axes: Axes, place: int, row: Row, metric: Metric) -> None:
    """One line of the plot: the bar above, the seeds' dots spread a little below."""
    colour, marker = style_of(row.arm)
    values = [value * metric.scale for value in row.values.values()]
    spread = [place + 0.2 + 0.12 * (i % 2) for i in range(len(values))]
    axes.plot(values, spread, marker, color=colour, alpha=0.6, markersize=5, markeredgewidth=0)
    error = None if row.std is None else row.std * metric.scale
    draw_mean(axes, row.arm, (row.mean * metric.scale, place - 0.08), (error, None))
