"""The plot of a metric against the size of the network: a line an arm of a method."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethink_det.arms import AT
from rethink_det.report.operating_points import Point
from rethink_det.report.plots.style import GRID, add_legend, literal, new_figure, style_of
from rethink_det.report.statistics import METRICS
from rethink_det.report.units import scale_of

DASHES = ('-', (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))
"""Lines of one colour, one after the other."""
IN_A_ROW = 2


def operating_points_figure(points: Sequence[Point]) -> Figure | None:
    """One metric against MACs: mean ± std over an arm's networks.

    Args:
        points: Of one model, at least one.

    Returns:
        The figure, or None where no two points of a line know their MACs.
    """
    known = [one for one in points if one.macs]
    lines: dict[tuple[str, str], list[Point]] = {}
    for one in known:
        lines.setdefault(one.line, []).append(one)
    if not any(len(line) > 1 for line in lines.values()):
        return None
    scale = scale_of(max(one.macs or 0 for one in known))
    metric = METRICS[known[0].row.stage][known[0].row.metric]
    several = len({method for _, method in lines if method}) > 1
    figure, axes = new_figure(4.2)
    drawn: dict[str, int] = {}
    for (arm, method), line in lines.items():
        plain = arm.partition(AT)[0]
        number = drawn[plain] = drawn.get(plain, -1) + 1
        label = f'{arm}, {method}' if several and method else arm
        _draw(axes, line, metric.scale, scale.factor, DASHES[number % len(DASHES)], label)
    axes.set_xlabel(f'{scale.prefix}MACs of the network')
    axes.set_ylabel(f'{metric.label}: mean ± std')
    axes.grid(color=GRID, linewidth=0.8)
    axes.margins(x=0.06, y=0.08)
    add_legend(figure, axes, IN_A_ROW)
    return figure


def _draw(
    axes: Axes, line: Sequence[Point], scale: float, factor: float, dashes: object, label: str
) -> None:
    """One line, from the smallest network to the largest."""
    colour, marker = style_of(line[0].arm)
    ordered = sorted(line, key=lambda one: one.macs or 0)
    axes.errorbar(
        [(one.macs or 0) / factor for one in ordered],
        [one.row.mean * scale for one in ordered],
        yerr=[(one.row.std or 0) * scale for one in ordered],
        color=colour,
        marker=marker,
        linestyle=dashes,
        linewidth=1.5,
        elinewidth=1,
        capsize=3,
        markersize=6,
        label=literal(label),
    )
