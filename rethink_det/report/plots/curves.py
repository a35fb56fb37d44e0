"""The plot of precision against recall by arm, a panel for each IoU threshold."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from rethink_det.report.plots.style import (
    GRID,
    INK,
    add_legend,
    literal,
    new_panels,
    style_of,
)
from rethink_det.report.precision_curves import PrecisionCurves

MARKS = 20
"""Points of a curve from one marker to the next."""


def curves_figure(found: Mapping[str, Sequence[PrecisionCurves]]) -> Figure | None:
    """Curves of one kind, each the mean over an arm's seeds.

    Args:
        found: By arm and seed, arms in the order to show.

    Returns:
        The figure, or None where there is no curve.
    """
    ious = list(dict.fromkeys(iou for each in found.values() for c in each for iou in c.precision))
    if not ious:
        return None
    figure, panels = new_panels(2.9, len(ious))
    for iou, axes in zip(ious, panels, strict=True):
        for place, (arm, curves) in enumerate(found.items()):
            seeds = [one.precision[iou] for one in curves if iou in one.precision]
            if seeds:
                colour, marker = style_of(arm)
                axes.plot(
                    *_mean(seeds),
                    color=colour,
                    marker=marker,
                    markersize=4.5,
                    markevery=(4 * place % MARKS, MARKS),
                    label=literal(arm),
                )
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel='recall')
        axes.set_xticks([0, 0.5, 1], ['0', '0.5', '1'])
        axes.set_title(f'IoU {iou.replace(":", " to ")}', size=10, color=INK)
        axes.grid(color=GRID, linewidth=0.8)
    panels[0].set_ylabel('precision, mean over classes')
    add_legend(figure, panels[0])
    return figure


def _mean(curves: Iterable[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Recalls, and the mean of curves over the same ones."""
    mean = [fmean(values) for values in zip(*curves, strict=True)]
    return [i / (len(mean) - 1) for i in range(len(mean))], mean
