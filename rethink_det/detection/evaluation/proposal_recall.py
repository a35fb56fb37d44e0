"""Recall of proposals: which share of the objects the best of them cover."""

from collections.abc import Sequence

import numpy as np
from mmdet.evaluation.functional import eval_recalls


def proposal_recall(
    objects: Sequence[np.ndarray],
    proposals: Sequence[np.ndarray],
    numbers: Sequence[int],
    thresholds: Sequence[float],
) -> np.ndarray:
    """mmdet's ``eval_recalls``, image by image and weighted by their objects: the same numbers.

    Its own way puts the overlaps of all images into one array, which numpy has refused since 1.24
    where images differ in how many objects they have.

    Args:
        objects: Of each image its boxes ``(n, 4)``, as corners.
        proposals: Of each image ``(m, 4)``, the surest first.
        numbers: So many proposals of an image count, at most.
        thresholds: Of the overlap.

    Returns:
        ``(numbers, thresholds)``; NaN if there is no object.
    """
    total = np.zeros((len(numbers), len(thresholds)))
    for boxes, found in zip(objects, proposals, strict=True):
        if len(boxes):
            one = eval_recalls([boxes], [found], list(numbers), list(thresholds), logger='silent')
            total += len(boxes) * one
    count = sum(map(len, objects))
    return total / count if count else np.full_like(total, np.nan)
