"""Which detection found which object, image by image, out of COCO's evaluators."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from faster_coco_eval.faster_eval_api_cpp import COCOevalEvaluateImages

from rethink_det.detection.evaluation.coco_api import FasterCocoEval
from rethink_det.detection.evaluation.curves import USUAL
from rethink_det.detection.evaluation.resampled_ap import ClassMatches
from rethink_det.errors import UserError


class _Image(NamedTuple):
    """Detections of a class in an image, the surest first, and its objects."""

    place: int
    """Of the image among all that are evaluated."""
    scores: Any
    """(detections,)."""
    matches: Any
    """Number of the object that was found, 0 for none; (IoU thresholds x detections,)."""
    ignored: Any
    """The same, whether the detection counts neither as right nor as wrong."""
    objects_ignored: Any
    """(objects,)."""


def class_matches(evaluator: Any) -> list[ClassMatches]:
    """What a COCOeval that has evaluated matched, by class; classes without an object are left out.

    Args:
        evaluator: pycocotools' ``COCOeval``, or :class:`FasterCocoEval`.

    Raises:
        UserError: It does not tell classes apart, or not by 100 detections an image.
    """
    settings = evaluator.params
    if not settings.useCats or USUAL not in settings.maxDets:
        raise UserError(f'COCO defines AP by class and {USUAL} detections an image')
    sizes = len(settings.imgIds), len(settings.iouThrs)
    found = (_gathered(images, *sizes) for images in _by_class(evaluator) if images)
    return [one for one in found if one.objects.any()]


def _by_class(evaluator: Any) -> Iterator[list[_Image]]:
    """The images of each class in which it is, or was detected."""
    settings = evaluator.params
    if not isinstance(evaluator, FasterCocoEval):
        yield from (_remembered(evaluator, place) for place in range(len(settings.catIds)))
        return
    places = {image: place for place, image in enumerate(settings.imgIds)}
    for category in settings.catIds:
        of_class = (one.catToImgs.get(category, ()) for one in (evaluator.cocoGt, evaluator.cocoDt))
        images = sorted(places.keys() & set(chain(*of_class)))
        yield [
            _Image(places[image], state[2], state[0], state[4], state[3])
            for image, state in zip(images, _states(evaluator, images, category), strict=True)
        ]


def _states(evaluator: FasterCocoEval, images: list[int], category: int) -> Iterator[tuple]:
    """Matched again, by the overlaps that are kept: the evaluator's matches are out of reach.

    Yields:
        Per image what pickle would store: matches, those of the objects, scores, whether the
        objects and the detections are ignored.
    """
    settings = evaluator.params
    evaluated = COCOevalEvaluateImages(
        [settings.areaRng[settings.areaRngLbl.index('all')]],
        USUAL,
        settings.iouThrs,
        [[evaluator.ious[image, category]] for image in images],
        evaluator.gt_dataset,
        evaluator.dt_dataset,
        images,
        [category],
        True,
    )
    return (one.__getstate__() for one in evaluated)


def _remembered(evaluator: Any, category: int) -> list[_Image]:
    settings = evaluator.params
    images, areas = len(settings.imgIds), len(settings.areaRng)
    first = (category * areas + settings.areaRngLbl.index('all')) * images
    found = enumerate(evaluator.evalImgs[first : first + images])
    return [_cut(place, one) for place, one in found if one is not None]


def _cut(place: int, found: dict[str, Any]) -> _Image:
    return _Image(
        place,
        found['dtScores'][:USUAL],
        found['dtMatches'][:, :USUAL].ravel(),
        found['dtIgnore'][:, :USUAL].ravel(),
        found['gtIgnore'],
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


def _joined(images: list[Any], thresholds: int) -> np.ndarray:
    """Bool (IoU thresholds, detections) of all images, of each (IoU thresholds x detections,)."""
    return np.hstack([np.array(one, bool).reshape(thresholds, -1) for one in images])
