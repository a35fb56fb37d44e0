"""How much of a metric is the choice of its test images."""

from collections.abc import Sequence
from math import sqrt
from statistics import stdev

PERCENTAGES = 'accuracy/'
"""Begins the names of metrics that are percentages of images."""


def noise_of(
    value: float, metric: str, test_images: int | None, replicates: Sequence[float] | None
) -> float | None:
    """Standard error of a metric over test images: below it, a difference may be their luck.

    Of a share of images it is the binomial's, sqrt(p (1 - p) / n), taken with at least one image
    right and one wrong: a network that makes no mistake on n images may still make some. Of any
    other metric it is the deviation of its replicates.

    Two networks on the same images differ by less than their noises suggest, as hard images are
    hard for both: the replicates' differences tell by how much, see :mod:`.paired_bootstrap`.

    Args:
        value: Of the metric, in its own unit.
        metric: Its name, ``'accuracy/top1'``.
        test_images: How many images it is of; None if that is not known.
        replicates: The metric on drawn test sets, see :mod:`.image_draws`; None if there are none.

    Returns:
        In the metric's own unit; None where nothing tells, which includes replicates that are all
        the same.
    """
    if metric.startswith(PERCENTAGES):
        return _binomial(value / 100, test_images) if test_images else None
    if replicates is None or len(replicates) < 2:
        return None
    return stdev(replicates) or None


def _binomial(share: float, images: int) -> float | None:
    """In percent; None for a single image, which cannot be both right and wrong."""
    if images < 2:
        return None
    share = min(max(share, 1 / images), 1 - 1 / images)
    return 100 * sqrt(share * (1 - share) / images)
