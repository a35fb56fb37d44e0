"""COCO's AP on test sets drawn anew, from what was matched once.

An image that is drawn twice counts twice, one that is not drawn does not count: each detection and
each object has the count of its image for its weight. What matches what in an image does not
depend on how often it is drawn. So the AP of a draw is what pycocotools' ``accumulate`` gives where
images are really repeated, but for the order in which it takes detections of one image and class
that have exactly the same score.

It is quick because precision is best where an object is found: the thousand times many sums are
taken there alone, and what is detected in between is added up by one sparse matrix.

Source: pycocotools' ``cocoeval.py`` (``accumulate``, ``summarize``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from rethink_det.detection.evaluation.curves import RECALLS
from rethink_det.errors import UserError

CELLS = 2**19
"""Draws times images that are weighed at once, at most: few enough to stay in a core's cache."""
TOLERANCE = 1e-9
"""More than rounding, less than what one object in a hundred million makes of a recall."""


@dataclass(frozen=True)
class ClassMatches:
    """Which detections of one class found an object.

    Attributes:
        images: Position of the image of each detection, int (detections,), the surest first.
        hits: Whether it found an object that counts, bool (IoU thresholds, detections).
        ignored: Whether it counts neither as right nor as wrong, of the same shape: it lies in a
            crowd, say.
        objects: How many objects that count each image has, float (images,).
    """

    images: np.ndarray
    hits: np.ndarray
    ignored: np.ndarray
    objects: np.ndarray

    def average_precision(self, counts: np.ndarray) -> np.ndarray:
        """AP of each draw, (draws,), the mean over IoU thresholds; NaN where there is no object.

        Args:
            counts: How often each image is drawn, float (images, draws).
        """
        objects = self.objects @ counts
        seen = np.cumsum(self._between @ counts, 0)
        total = np.zeros_like(objects)
        for hits, ignored in zip(self._found_at, self._ignored_at, strict=True):
            detections = seen[hits]
            if ignored is not None:
                detections -= np.cumsum(ignored @ counts, 0)[hits]
            right = np.cumsum(counts[self.images[self._places[hits]]], 0)
            total += _interpolated(right, detections, objects)
        return np.where(objects > 0, total / len(self.hits), np.nan)

    @cached_property
    def _places(self) -> np.ndarray:
        """Positions of the detections that are right at some threshold."""
        return np.flatnonzero(self.hits.any(0))

    @cached_property
    def _found_at(self) -> list[np.ndarray]:
        """By threshold, which of these are right there."""
        return [np.flatnonzero(hits) for hits in self.hits[:, self._places]]

    @cached_property
    def _between(self) -> csr_array:
        return self._up_to_places(np.arange(len(self.images)))

    @cached_property
    def _ignored_at(self) -> list[csr_array | None]:
        chosen = (np.flatnonzero(ignored) for ignored in self.ignored)
        return [self._up_to_places(one) if len(one) else None for one in chosen]

    def _up_to_places(self, detections: np.ndarray) -> csr_array:
        """How many of the detections are after a place and up to the next, (places, images)."""
        rows = np.searchsorted(self._places, detections)
        inside = rows < len(self._places)
        ones, columns = np.ones(inside.sum()), self.images[detections[inside]]
        shape = len(self._places), len(self.objects)
        return csr_array((ones, (rows[inside], columns)), shape=shape)


def _interpolated(right: np.ndarray, detections: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """AP of each draw at one threshold, (draws,).

    Args:
        right: Right detections up to each right one, itself included, (right ones, draws).
        detections: All detections up to there, of the same shape.
        objects: To be found, (draws,).
    """
    precision = np.divide(right, detections + np.spacing(1), out=detections)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    reached = reached_recalls(right / np.maximum(objects, 1))
    gained = np.diff(reached, axis=0, prepend=0)
    return np.einsum('ij,ij->j', best, gained) / len(RECALLS)


def reached_recalls(recall: np.ndarray) -> np.ndarray:
    """How many of :data:`RECALLS` are not above a recall.

    As ``np.searchsorted(RECALLS, recall, 'right')``, in a fifth of the time: the place is known
    but for the last digit, which decides where a recall is meant to be just 0.29.
    """
    place = (recall * (len(RECALLS) - 1) + TOLERANCE).astype(np.intp)
    place += RECALLS[place] <= recall
    return place


def resampled_ap(classes: Sequence[ClassMatches], draws: Iterable[np.ndarray]) -> np.ndarray:
    """AP of all classes on each draw: the mean over those that have an object in it.

    Args:
        classes: What was matched.
        draws: How often each image is drawn, float (images, some draws).

    Returns:
        In 0..1, (all draws,).

    Raises:
        UserError: A draw has no object at all.
    """
    if not classes:
        raise UserError('the test images have no object')
    parts = [part for counts in draws for part in _narrow(counts)]
    return np.concatenate([_mean_over_classes(classes, part) for part in parts])


def _narrow(counts: np.ndarray) -> list[np.ndarray]:
    width = max(1, CELLS // len(counts))
    return [
        np.ascontiguousarray(counts[:, i : i + width]) for i in range(0, counts.shape[1], width)
    ]


def _mean_over_classes(classes: Sequence[ClassMatches], counts: np.ndarray) -> np.ndarray:
    found = np.stack([one.average_precision(counts) for one in classes])
    there = (~np.isnan(found)).sum(0)
    if not there.all():
        raise UserError('there are too few test images with objects: some draws have none')
    return np.nansum(found, 0) / there
