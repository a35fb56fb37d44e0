"""Which detection found which object, image by image, out of COCO's evaluators."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from pycocotools.cocoeval import COCOeval

from rethink_det.detection.evaluation.curves import USUAL
from rethink_det.detection.evaluation.hotcoco_eval import HotCocoEval
from rethink_det.detection.evaluation.resampled_ap import ClassMatches
from rethink_det.errors import UserError


class _Image(NamedTuple):
    """Detections of a class in an image, the surest first, and its objects."""

    place: int
    """Of the image among all that are evaluated."""
    scores: Any
    """(detections,)."""
    matches: Any
    """Number of the object that was found, 0 for none; (IoU thresholds, detections)."""
    ignored: Any
    """The same, whether the detection counts neither as right nor as wrong."""
    objects_ignored: Any
    """(objects,)."""


def class_matches(evaluator: COCOeval) -> list[ClassMatches]:
    """What a COCOeval that has evaluated matched, by class; classes without an object are left out.

    Args:
        evaluator: pycocotools' ``COCOeval``, or :class:`HotCocoEval`.

    Raises:
        UserError: It does not tell classes apart, or not by 100 detections an image.
    """
    settings = evaluator.params
    if not settings.useCats or USUAL not in settings.maxDets:
        raise UserError(f'COCO defines AP by class and {USUAL} detections an image')
    images = evaluator.on_images() if isinstance(evaluator, HotCocoEval) else _of_all(evaluator)
    places = {number: place for place, number in enumerate(settings.imgIds)}
    sizes = len(settings.imgIds), len(settings.iouThrs)
    classes = groupby(images, key=itemgetter('category_id'))
    found = (_gathered([_cut(places, one) for one in of_class], *sizes) for _, of_class in classes)
    return [one for one in found if one.objects.any()]


def _of_all(evaluator: COCOeval) -> Iterator[Mapping[str, Any]]:
    """What pycocotools matched of objects of any size, by category and image."""
    settings = evaluator.params
    count, areas = len(settings.imgIds), len(settings.areaRng)
    for category in range(len(settings.catIds)):
        first = (category * areas + settings.areaRngLbl.index('all')) * count
        yield from (one for one in evaluator.evalImgs[first : first + count] if one is not None)


def _cut(places: Mapping[int, int], found: Mapping[str, Any]) -> _Image:
    matches, ignored = (np.array(found[name], bool) for name in ('dtMatches', 'dtIgnore'))
    return _Image(
        places[found['image_id']],
        found['dtScores'][:USUAL],
        matches[:, :USUAL],
        ignored[:, :USUAL],
        np.array(found['gtIgnore'], bool),
    )


def _gathered(images: list[_Image], count: int, thresholds: int) -> ClassMatches:
    """Of ``count`` images together, sorted as pycocotools does: stably, by score."""
    objects = np.zeros(count)
    for one in images:
        objects[one.place] = len(one.objects_ignored) - np.count_nonzero(one.objects_ignored)
    order = np.argsort(-np.concatenate([one.scores for one in images]), kind='stable')
    places = np.repeat([one.place for one in images], [len(one.scores) for one in images])
    found = _joined([one.matches for one in images], thresholds)[:, order]
    ignored = _joined([one.ignored for one in images], thresholds)[:, order]
    return ClassMatches(places[order], found & ~ignored, ignored, objects)


def _joined(images: Iterable[np.ndarray], thresholds: int) -> np.ndarray:
    """Bool (IoU thresholds, detections) of all images."""
    return np.hstack([one.reshape(thresholds, -1) for one in images])
