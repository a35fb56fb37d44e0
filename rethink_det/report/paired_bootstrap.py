"""What two networks differ by, and what of it is the choice of the test images.

Both were evaluated on the same images, so they are asked about the same draws of these (see
:mod:`.image_draws`), and the difference is taken on each: an image that is hard for both does not
stand between them. This is about *these two networks*: nothing is said about what other seeds, or
another parent, would have come to.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 6.2 (standard errors)
and chapter 12 (intervals from them).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from rethink_det.errors import UserError
from rethink_det.report.estimate import half_width

CONFIDENCE = 0.95


class Evaluated(Protocol):
    """What must be known of an evaluation; :class:`.run_result.RunResult` has it."""

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """In their own units."""

    @property
    def test_images(self) -> int | None:
        """How many images they are of."""

    @property
    def test_digest(self) -> str | None:
        """Of these images."""

    @property
    def replicates(self) -> Mapping[str, Sequence[float]] | None:
        """The metrics on test sets drawn from them."""


@dataclass(frozen=True)
class PairedDifference:
    """One network's metric minus another's, on the same test images.

    Attributes:
        metric: Its name, ``'coco/bbox_mAP'``.
        values: Of the two, in the metric's own unit.
        interval: Where the difference would be on other test images like these.
        confidence: Of that, 0.95, say.
        test_images: How many there are.
    """

    metric: str
    values: tuple[float, float]
    interval: tuple[float, float]
    confidence: float
    test_images: int

    @property
    def difference(self) -> float:
        """The first minus the second."""
        return self.values[0] - self.values[1]

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves out 0: one is better on images like these."""
        return not self.interval[0] <= 0 <= self.interval[1]

    def __str__(self) -> str:
        """``coco/bbox_mAP: 0.405 - 0.381 = +0.024, 95 % interval +0.013 to +0.035 ...``."""
        low, high = self.interval
        said = 'told apart' if self.told_apart else 'not told apart'
        return (
            f'{self.metric}: {self.values[0]:.4g} - {self.values[1]:.4g} = {self.difference:+.4g}, '
            f'{100 * self.confidence:g} % interval {low:+.4g} to {high:+.4g} over '
            f'{self.test_images} test images: {said}'
        )


def paired_interval(
    difference: float,
    ours: Sequence[float],
    theirs: Sequence[float],
    test_images: int,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Where the difference of two networks would be on other test images.

    It is the difference and as many standard errors to both sides as Student's t has, with one
    degree of freedom less than there are images; the standard error is the deviation of the
    differences on the draws. Percentiles of the draws cover less often on few images, and no more
    often on many (docs/statistics.md has the simulation); beyond 99 %, which a family of
    comparisons asks for, they would rest on a handful of a thousand draws.

    Args:
        difference: On the test images themselves.
        ours: The first network's metric on each draw.
        theirs: The second one's on the same draws.
        test_images: How many images were drawn from.
        confidence: Between 0 and 1.

    Raises:
        ValueError: The draws are not the same ones, or there are fewer than two, or of images.
    """
    if len(ours) != len(theirs) or min(len(ours), test_images) < 2:
        raise ValueError(
            f'{len(ours)} and {len(theirs)} draws of {test_images} images are no pairs'
        )
    error = float(np.std(np.subtract(ours, theirs), ddof=1))
    half = half_width(error, test_images - 1, 1 - confidence)
    return difference - half, difference + half


def paired_bootstrap(
    ours: Evaluated, theirs: Evaluated, metric: str, confidence: float = CONFIDENCE
) -> PairedDifference:
    """Tell two networks apart by one evaluation of each.

    Args:
        ours: The first one: a run of a study, or ``saved_predictions`` of a detector.
        theirs: The second one.
        metric: By which they are compared.
        confidence: Of the interval.

    Raises:
        UserError: An evaluation does not have the metric on drawn test sets, they are of other
            images or of a single one, or the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise UserError(f'confidence is {confidence}, it must be between 0 and 1, such as 0.95')
    first, second = _known(ours, metric), _known(theirs, metric)
    if ours.test_digest != theirs.test_digest or len(first.draws) != len(second.draws):
        raise UserError(
            f'{metric} of the one is on other test images than that of the other '
            f'({_set(ours)}, {_set(theirs)}): evaluate both on the same data'
        )
    images = ours.test_images or 0
    if images < 2:
        raise UserError(f'{metric} is of {images} test images, which tell nothing about others')
    difference = first.value - second.value
    interval = paired_interval(difference, first.draws, second.draws, images, confidence)
    values = first.value, second.value
    return PairedDifference(metric, values, interval, confidence, images)


class _Known(NamedTuple):
    value: float
    draws: Sequence[float]


def _known(one: Evaluated, metric: str) -> _Known:
    value, replicates = one.metrics.get(metric), one.replicates or {}
    if value is None or metric not in replicates:
        there = ', '.join(sorted(replicates)) or 'none'
        raise UserError(
            f'{metric!r} is not known on drawn test sets, known are: {there}; runs of earlier '
            'releases have none, evaluate again'
        )
    return _Known(value, replicates[metric])


def _set(one: Evaluated) -> str:
    return f'{one.test_images} images {str(one.test_digest)[:8]}'
