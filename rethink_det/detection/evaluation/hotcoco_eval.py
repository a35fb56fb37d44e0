"""COCO's evaluation by hotcoco, every array of which is pycocotools' to the last bit."""

from collections.abc import Mapping, Sequence
from typing import Any

import hotcoco
import numpy as np
from pycocotools.cocoeval import COCOeval

from rethink_det.detection.evaluation.coco_api import FasterCocoApi
from rethink_det.detection.evaluation.curves import USUAL
from rethink_det.detection.evaluation.detections import Detections
from rethink_det.detection.evaluation.garbage import no_garbage_collection
from rethink_det.errors import UserError


class HotCocoEval(COCOeval):
    """pycocotools' COCOeval with matching and accumulation in Rust.

    Parameters and summary are pycocotools' own. ``evalImgs`` stays empty; see :meth:`on_images`.

    Args:
        cocoGt: The annotations.
        cocoDt: What they give for the predictions.
        iouType: ``'bbox'`` or ``'segm'``.
    """

    def __init__(
        self,
        cocoGt: FasterCocoApi,  # noqa: N803
        cocoDt: Detections,  # noqa: N803
        iouType: str = 'segm',  # noqa: N803
    ) -> None:
        super().__init__(cocoGt, cocoDt, iouType)
        self._data: tuple[hotcoco.COCO, hotcoco.COCO] | None = None
        self._done: hotcoco.COCOeval | None = None

    def evaluate(self) -> None:
        """Match detections and objects.

        Raises:
            UserError: An object has no usable box, area or mask, or there is nothing to judge.
        """
        settings = self.params
        settings.imgIds = np.unique(settings.imgIds).tolist()
        settings.catIds = np.unique(settings.catIds).tolist()
        settings.maxDets = sorted(settings.maxDets)
        if not settings.imgIds or not settings.catIds:
            raise UserError(
                f'{self.cocoGt.source} has none of the images that were run, or none of the '
                'classes: there is nothing to judge.'
            )
        self._done = self._evaluated(settings.areaRngLbl, settings.areaRng, settings.maxDets)

    def accumulate(self, p: Any = None) -> None:
        """Precision, recall and scores of all classes, as pycocotools' ``eval``.

        Args:
            p: Left out; other parameters need another :meth:`evaluate`.

        Raises:
            UserError: There are other parameters, or nothing is evaluated.
        """
        if p is not None or self._done is None:
            raise UserError('set params, then evaluate, then accumulate')
        self._done.accumulate()
        found = self._done.eval or {}
        arrays = {name: np.asarray(found[name]) for name in ('precision', 'recall', 'scores')}
        self.eval = {'params': self.params, 'counts': list(found['counts']), **arrays}

    def on_images(self) -> list[dict[str, Any]]:
        """What was matched in each image, of objects of any size and 100 detections.

        Returns:
            As pycocotools' ``evalImgs``, by category and image, without those that are empty.
        """
        with no_garbage_collection():
            place = self.params.areaRngLbl.index('all')
            done = self._evaluated(['all'], [self.params.areaRng[place]], [USUAL])
            found = [one for one in done.eval_imgs if one is not None]
        return sorted(found, key=lambda one: (one['category_id'], one['image_id']))

    def _evaluated(
        self, names: Sequence[str], areas: Sequence[Sequence[float]], most: Sequence[int]
    ) -> hotcoco.COCOeval:
        if self._data is None:
            truth = _truth(self.cocoGt, self.params.iouType)
            self._data = truth, _found(truth, self.cocoDt)
        evaluator = hotcoco.COCOeval(*self._data, self.params.iouType)
        settings, ours = evaluator.params, self.params
        settings.img_ids, settings.cat_ids = ours.imgIds, ours.catIds
        settings.iou_thrs = np.asarray(ours.iouThrs, float).tolist()
        settings.rec_thrs = np.asarray(ours.recThrs, float).tolist()
        settings.area_rng_lbl, settings.area_rng = [*names], [[*map(float, one)] for one in areas]
        settings.max_dets, settings.use_cats = [*most], bool(ours.useCats)
        evaluator.evaluate()
        return evaluator


def _truth(annotations: FasterCocoApi, kind: str) -> hotcoco.COCO:
    content = annotations.dataset
    rows, masks = content['annotations'], kind == 'segm'
    sizes = ('height', 'width')
    if masks:
        _check_sizes(annotations.source, content['images'], sizes)
    return hotcoco.COCO.from_arrays(
        [
            {'id': one['id'], 'file_name': '', **{key: int(one.get(key) or 0) for key in sizes}}
            for one in content['images']
        ],
        [{'id': one['id'], 'name': str(one.get('name'))} for one in content['categories']],
        np.array([row['image_id'] for row in rows], int),
        np.array([row['category_id'] for row in rows], int),
        np.zeros((len(rows), 4)) if masks else _column(annotations, 'bbox', 4).reshape(-1, 4),
        area=_column(annotations, 'area', 1),
        iscrowd=np.array([row['iscrowd'] for row in rows], int),
        segmentation=_masks(annotations) if masks else None,
    )


def _found(truth: hotcoco.COCO, found: Detections) -> hotcoco.COCO:
    columns = (found.images, found.boxes, found.scores, found.categories)
    loaded = truth.load_res(np.column_stack(columns), segmentation=found.masks)
    if found.masks:  # not the area of the boxes, which are zeros
        loaded.update_anns(ids=np.arange(1, len(found.masks) + 1), area=found.areas)
    return loaded


def _column(annotations: FasterCocoApi, key: str, width: int) -> np.ndarray:
    """Numbers of all objects, float64 (objects x width)."""
    rows = annotations.dataset['annotations']
    try:
        values = np.array([row[key] for row in rows], float).ravel()
    except (KeyError, TypeError, ValueError):
        values = np.full(1, np.nan)
    if len(values) != width * len(rows) or not np.isfinite(values).all():
        first = next(row for row in rows if not _is_right(row.get(key), width))
        raise _unusable(annotations, first, key)
    return values


def _is_right(value: Any, width: int) -> bool:
    try:
        numbers = np.array(value, float).ravel()
    except (TypeError, ValueError):
        return False
    return len(numbers) == width and bool(np.isfinite(numbers).all())


def _masks(annotations: FasterCocoApi) -> list[Any]:
    rows = annotations.dataset['annotations']
    without = next((row for row in rows if not row.get('segmentation')), None)
    if without is not None:
        raise _unusable(annotations, without, 'segmentation')
    return [row['segmentation'] for row in rows]


def _unusable(annotations: FasterCocoApi, row: Mapping, key: str) -> UserError:
    has = f'{key} {row[key]!r}'[:80] if key in row else f'no {key}'
    return UserError(
        f'{annotations.source}: annotation {row["name"]!r} has {has}, by which it cannot be judged.'
    )


def _check_sizes(source: str, images: Sequence[Mapping], keys: Sequence[str]) -> None:
    for key in keys:
        without = sum(not image.get(key) for image in images)
        if without:
            raise UserError(f'{source}: {without} of {len(images)} images have no {key}.')
