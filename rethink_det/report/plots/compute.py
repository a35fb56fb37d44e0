"""The plot of a metric against total training compute: what an arm's result cost in all.

Scratch-B is given the compute of the unpruned network, so the two have one abscissa by
definition. Arms that would lie on one another are moved apart by a few points (1/72 inch).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10
from statistics import fmean, stdev

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from rethink_det.report.plots.style import (
    GRID,
    WIDTH,
    add_legend,
    draw_mean,
    literal,
    new_figure,
    style_of,
)
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import METRICS, Row
from rethink_det.report.training_compute import spent_by, whose_compute
from rethink_det.report.units import scale_of

DECADE = 10
LENGTH = 0.88 * 72 * WIDTH  # of the x axis, about; as all below in points
APART = 11  # what the means of two arms need
BESIDE = 7  # how far left of the mean the seeds stand


@dataclass(frozen=True)
class _Cloud:
    """The points of one arm, one a seed: compute and metric, in the units of the axes."""

    arm: str
    x: list[float]
    y: list[float]


def compute_figure(runs: Iterable[RunResult], rows: Sequence[Row]) -> Figure | None:
    """One metric against total training compute, in MACs; log if it spans over a decade.

    Args:
        runs: Those of one (stage, model). Whose compute is unknown is left out.
        rows: Its arms, as for ``metric_figure``.

    Returns:
        The figure, or None when no run tells its compute.
    """
    runs = list(runs)
    stage, spent = rows[0].stage, spent_by(runs)
    spent = {key: x for key, x in spent.items() if any(_shows(row, key) for row in rows)}
    if not spent:
        return None
    low, high = min(spent.values()), max(spent.values())
    scale = scale_of(low if high > DECADE * low else high)
    metric = METRICS[stage][rows[0].metric]
    clouds = []
    for row in rows:
        seeds = [seed for seed in row.values if (row.arm, seed) in spent]
        x = [spent[row.arm, seed] / scale.factor for seed in seeds]
        clouds += [_Cloud(row.arm, x, [row.values[s] * metric.scale for s in seeds])] * bool(x)
    figure, axes = new_figure(3.5)
    _set_range(axes, low / scale.factor, high / scale.factor)
    offsets = _offsets(_places(axes, [fmean(cloud.x) for cloud in clouds]))
    for cloud, offset in zip(clouds, offsets, strict=True):
        _draw(axes, cloud, offset)
    of = f'training compute{whose_compute(runs)}'
    axes.set_xlabel(f'{of}, needed parents included ({scale.prefix}MACs)')
    axes.set_ylabel(metric.label)
    axes.grid(color=GRID, linewidth=0.8)
    axes.margins(y=0.1)
    add_legend(figure, axes)
    return figure


def _shows(row: Row, key: tuple[str, int | str]) -> bool:
    return row.arm == key[0] and key[1] in row.values


def _set_range(axes: Axes, low: float, high: float) -> None:
    """The x axis: from 0, or logarithmic if ``high`` is more than a decade above ``low``."""
    if high <= DECADE * low:
        axes.set_xlim(0, 1.08 * high)
        return
    axes.set_xscale('log')
    margin = (high / low) ** 0.1
    axes.set_xlim(low / margin, high * margin)
    several = (1, 2, 5) if high < 1000 * low else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=several))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.xaxis.set_minor_locator(NullLocator())


def _places(axes: Axes, x: Iterable[float]) -> list[float]:
    """Where values of the x axis lie, in points from its left end (about)."""
    scale = log10 if axes.get_xscale() == 'log' else float
    left, right = map(scale, axes.get_xlim())
    return [LENGTH * (scale(value) - left) / (right - left) for value in x]


def _values(axes: Axes, places: Iterable[float]) -> list[float]:
    """The inverse of :func:`_places`."""
    left, right = axes.get_xlim()
    if axes.get_xscale() == 'log':
        return [left * (right / left) ** (place / LENGTH) for place in places]
    return [left + (right - left) * place / LENGTH for place in places]


def _offsets(places: Sequence[float]) -> list[float]:
    """By how much each place moves, as little as keeps all ``APART``.

    Source: least squares under an order is isotonic regression, which pools neighbours that
    are in each other's way (Barlow et al., Statistical Inference under Order Restrictions).
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    pools: list[list[float]] = []
    for rank, i in enumerate(order):
        pools.append([places[i] - APART * rank])
        while len(pools) > 1 and fmean(pools[-2]) > fmean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    free = [fmean(pool) for pool in pools for _ in pool]
    moved = {i: free[rank] + APART * rank - places[i] for rank, i in enumerate(order)}
    return [moved[i] for i in range(len(places))]


def _draw(axes: Axes, cloud: _Cloud, offset: float) -> None:
    """One arm: small dots for the seeds, and right of them a large one for mean ± std."""
    colour, marker = style_of(cloud.arm)

    def moved(x: Iterable[float], points: float) -> list[float]:
        return _values(axes, [place + points for place in _places(axes, x)])

    x = moved(cloud.x, offset - BESIDE)
    axes.plot(x, cloud.y, marker, color=colour, alpha=0.6, markersize=5, markeredgewidth=0)
    error = stdev(cloud.y) if len(cloud.y) > 1 else None
    (mean,) = moved([fmean(cloud.x)], offset)
    draw_mean(axes, cloud.arm, (mean, fmean(cloud.y)), (None, error), literal(cloud.arm))
