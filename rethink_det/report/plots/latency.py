"""The plot of a metric against latency: what arms reach that are equally fast."""

from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethink_det.report.plots.style import (
    GRID,
    add_legend,
    draw_mean,
    literal,
    new_figure,
    style_of,
)
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, Row

ROOM = 0.15
"""Of the mean latency that the x axis shows beyond the fastest and the slowest, so that noise
does not look like a difference."""


def latency_figure(runs: Iterable[RunResult], rows: Sequence[Row]) -> Figure | None:
    """One metric against latency, every seed a dot, and the mean over seeds with its std.

    Args:
        runs: Completed ones of one (stage, model).
        rows: Its arms, as for ``metric_figure``.

    Returns:
        The figure, or None when no run has a latency, or they are of several devices.
    """
    runs = list(runs)
    latency = {
        (run.arm, run.repetition): run.latency_ms for run in runs if run.latency_ms is not None
    }
    devices = {run.latency_device for run in runs if run.latency_ms is not None}
    if len(devices) != 1:
        return None
    metric = METRICS[rows[0].stage][rows[0].metric]
    figure, axes = new_figure(3.5)
    for row in rows:
        seeds = [seed for seed in row.values if (row.arm, seed) in latency]
        if seeds:
            x = [latency[row.arm, seed] for seed in seeds]
            _draw(axes, row.arm, x, [row.values[seed] * metric.scale for seed in seeds])
    room = ROOM * fmean(latency.values())
    axes.set_xlim(max(0, min(latency.values()) - room), max(latency.values()) + room)
    axes.set_xlabel(f'latency, ms an image (batch 1, {literal(str(*devices))})')
    axes.set_ylabel(metric.label)
    axes.grid(color=GRID, linewidth=0.8)
    axes.margins(y=0.1)
    add_legend(figure, axes)
    return figure


def _draw(axes: Axes, arm: str, x: list[float], y: list[float]) -> None:
    colour, marker = style_of(arm)
    axes.plot(x, y, marker, color=colour, alpha=0.5, markersize=5, markeredgewidth=0)
    spread = stdev(y) if len(y) > 1 else None
    draw_mean(axes, arm, (fmean(x), fmean(y)), (None, spread), literal(arm))
