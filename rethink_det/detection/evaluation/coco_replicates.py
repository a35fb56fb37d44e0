"""COCO's AP on test sets drawn anew, and by what the test set is known."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rethink_det.detection.datasets.ids import Name
from rethink_det.detection.evaluation.coco_matches import class_matches
from rethink_det.detection.evaluation.resampled_ap import resampled_ap
from rethink_det.errors import UserError
from rethink_det.report.image_draws import digest_of, image_draws
from rethink_det.report.image_replicates import ImageReplicates


def coco_replicates(evaluators: Sequence[Any], prefix: str = 'coco') -> ImageReplicates:
    """``coco/bbox_mAP`` and ``coco/segm_mAP`` on test sets drawn anew.

    The test set is known by its annotations: names and sizes of the images, and box, area, class
    and crowd of every object. The pixels are not read.

    Args:
        evaluators: Each a COCOeval that has evaluated, of the same annotations.
        prefix: Of the names of the metrics.

    Raises:
        UserError: No evaluator tells classes apart, or AP is not defined on some draws.
    """
    of_classes = [one for one in evaluators if one.params.useCats]
    if not of_classes:
        raise UserError('the metric has not kept what it evaluated, or has no AP')
    digest = digest_of(_annotated(of_classes[0]))
    images = len(of_classes[0].params.imgIds)
    values = {
        f'{prefix}/{one.params.iouType}_mAP': resampled_ap(
            class_matches(one), image_draws(digest, images)
        )
        for one in of_classes
    }
    return ImageReplicates.of(images, digest, values)


def _annotated(evaluator: Any) -> Iterator[bytes]:
    """All that tells the annotations apart from others, in an order that is theirs."""
    truth, settings = evaluator.cocoGt, evaluator.params
    names, sizes = truth.image_names, ('height', 'width')
    images = [(names[number - 1], truth.imgs[number]) for number in settings.imgIds]
    yield json.dumps(
        [[name, one.get('file_name'), *(one.get(key) for key in sizes)] for name, one in images]
    ).encode()
    names = truth.category_names
    yield json.dumps(
        [[names[number - 1], truth.cats[number]['name']] for number in settings.catIds]
    ).encode()
    chosen = truth.getAnnIds(imgIds=settings.imgIds, catIds=settings.catIds)
    rows = [
        (
            _as_number(truth.image_names, one['image_id']),
            _as_number(truth.category_names, one['category_id']),
            one['iscrowd'],
            *one['bbox'],
            one['area'],
        )
        for one in truth.loadAnns(chosen)
    ]
    yield np.array(rows, '<f8').tobytes()


def _as_number(names: Sequence[Name], number: int) -> float:
    """The id itself where it is a number that no other is rounded to, else that of its place."""
    name = names[number - 1]
    if isinstance(name, (int, float)) and abs(name) < 2**53:
        return float(name)
    return number
