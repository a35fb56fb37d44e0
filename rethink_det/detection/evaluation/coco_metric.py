"""COCO box and mask AP by hotcoco: pycocotools' numbers in a fraction of the time."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mmdet.evaluation.metrics import CocoMetric as MMDetCocoMetric
from mmdet.evaluation.metrics import coco_metric as mmdet_module
from mmengine.logging import print_log
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from rethink_det.detection.datasets.ids import Name
from rethink_det.detection.evaluation.coco_api import CocoApi, FasterCocoApi
from rethink_det.detection.evaluation.coco_replicates import coco_replicates
from rethink_det.detection.evaluation.curves import Curves, coco_curves, kept
from rethink_det.detection.evaluation.detections import Table, table_of_results
from rethink_det.detection.evaluation.garbage import no_garbage_collection
from rethink_det.detection.evaluation.hotcoco_eval import HotCocoEval
from rethink_det.detection.evaluation.proposal_recall import proposal_recall
from rethink_det.detection.evaluation.rle import encode_masks
from rethink_det.errors import UserError
from rethink_det.registry import METRICS
from rethink_det.report.image_replicates import ImageReplicates


def _as_it_is(predictions: list[Table]) -> list[Table]:
    """Stands for reading the file of the predictions, which are in memory."""
    return predictions


# By the names under which mmdet's module knows them.
_BACKENDS = {
    'faster': {'COCO': FasterCocoApi, 'COCOeval': HotCocoEval, 'load': _as_it_is},
    'pycocotools': {'COCO': CocoApi, 'COCOeval': COCOeval},
}


@METRICS.register_module()
class CocoMetric(MMDetCocoMetric):
    """mmdet's CocoMetric (``coco/bbox_mAP``, ``coco/segm_mAP``, ...), evaluated faster.

    Use as ``type='rethink_det.CocoMetric'``. AP and AR are in [0, 1], rounded to three
    digits by mmdet; -1 where the annotations hold no object of that size, as always in
    COCO. Without a single prediction every metric is there, 0.0 instead of missing.

    mmdet writes predictions into JSON files and reads them back; here they stay in memory,
    and files are written only where ``outfile_prefix`` asks for them.

    Ids are names: whatever numbers or texts the annotations have, they tell images, categories
    and objects apart and mean nothing else; files of predictions have them again.

    With ``classwise=True`` there is ``coco/{class}_precision`` as well, and where boxes and masks
    are both evaluated, ``coco/bbox_{class}_precision`` and ``coco/segm_...``: mmdet has one name
    for the two, which is then the masks'.

    Attributes:
        curves: Of the last evaluation, by metric (``'bbox'``, ``'segm'``), see
            :func:`~rethink_det.detection.evaluation.curves.kept`.

        keep_images: Whether to remember what an evaluation found on each image, for
            :meth:`image_replicates`; it takes as much memory as the evaluation.

    Source: Lin et al., Microsoft COCO, arXiv 1405.0312, and pycocotools' ``cocoeval.py``.

    Args:
        backend: ``'faster'`` (hotcoco) or ``'pycocotools'``; same numbers.
        **kwargs: of ``mmdet.evaluation.CocoMetric``: ``ann_file``, ``metric``
            (``'bbox'``, ``'segm'``, ...), ``classwise``, ...

    Raises:
        UserError: unknown ``backend``, or ``use_mp_eval=True``.
    """

    keep_images = False

    def __init__(self, *args: Any, backend: str = 'faster', **kwargs: Any) -> None:
        if backend not in _BACKENDS:
            raise UserError(
                f"CocoMetric: unknown backend '{backend}'; valid: {', '.join(_BACKENDS)}."
            )
        self.backend = backend
        self.curves: dict[str, Curves] = {}
        self._evaluators: list[COCOeval] = []
        with _replaced(_BACKENDS[backend]):
            super().__init__(*args, **kwargs)
        if self.use_mp_eval:
            raise UserError(
                'CocoMetric: use_mp_eval=True is pycocotools in several processes; remove it, '
                "or set type='mmdet.CocoMetric'."
            )

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Take a batch of predictions; masks are kept as RLE.

        Args:
            data_batch: Not used.
            data_samples: Per image ``img_id``, ``ori_shape`` and ``pred_instances``.
        """
        if self.backend == 'faster':
            data_samples = [_with_rle(sample) for sample in data_samples]
        super().process(data_batch, data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the predictions of all processes and compute the metrics.

        Args:
            size: Number of images.

        Returns:
            dict: metric name with prefix, e.g. ``'coco/bbox_mAP'``, to value.
        """
        with no_garbage_collection():
            return super().evaluate(size)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """All metrics of the collected predictions.

        Args:
            results: (ground truth, prediction) per image, as gathered by ``process``.

        Returns:
            dict: metric name without prefix, e.g. ``'bbox_mAP'``, to value.
        """
        self._evaluators.clear()
        self.cat_ids: Any = None  # to be looked up again: in the order of the labels
        self.img_ids: Any = self._judged([found['img_id'] for _, found in results])
        names = _BACKENDS[self.backend]
        evaluators: list[COCOeval] = []

        def remembered(*args: Any) -> COCOeval:
            evaluators.append(names['COCOeval'](*args))
            return evaluators[-1]

        with _replaced({**names, 'COCOeval': remembered}):
            metrics = super().compute_metrics(results)
        self.curves = kept(lambda: _curves_of(evaluators))
        self._evaluators += evaluators if self.keep_images else ()
        return {**metrics, **(self._classwise() if self.classwise else {})}

    def fast_eval_recall(
        self,
        results: Sequence[dict],
        proposal_nums: Sequence[int],
        iou_thrs: Sequence[float],
        logger: object = None,
    ) -> np.ndarray:
        """Mean recall of proposals, for ``metric='proposal_fast'``.

        Args:
            results: Of each image ``img_id`` and ``bboxes``.
            proposal_nums: So many proposals of an image count, at most.
            iou_thrs: Overlaps, over which the mean is taken.
            logger: Not used.

        Returns:
            One for each of ``proposal_nums``; NaN without objects.
        """
        found = {result['img_id']: result['bboxes'] for result in results}
        objects = [self._boxes(image) for image in self.img_ids]
        proposals = [found[image] for image in self.img_ids]
        return proposal_recall(objects, proposals, proposal_nums, iou_thrs).mean(axis=1)

    def _boxes(self, image: Any) -> np.ndarray:
        """Corners of the objects of an image that count."""
        api = self._coco_api
        every = api.load_anns(api.get_ann_ids(img_ids=[image]))
        counted = [one for one in every if not one.get('ignore') and not one.get('iscrowd')]
        boxes = np.array([one['bbox'] for one in counted], np.float32).reshape(-1, 4)
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)

    def _judged(self, run: Sequence[Name]) -> list[int] | None:
        """Numbers of the images that were run, in this order; None where only they are known.

        Objects of an image that was not run would count as missed.
        """
        if self._coco_api is None:
            return None
        found, known = self._coco_api.images_called(run), len(self._coco_api.image_numbers)
        if len(set(found)) < known:
            print_log(
                f'CocoMetric: {len(set(found))} images were run, and are judged; the annotations '
                f'have {known}.',
                'current',
                logging.WARNING,
            )
        return found

    def image_replicates(self) -> ImageReplicates:
        """AP of the last evaluation on its images drawn anew, see :func:`.coco_replicates`.

        Raises:
            UserError: The evaluation was not told to keep its images, or AP is not defined.
        """
        return coco_replicates(self._evaluators, self.prefix)

    def _classwise(self) -> dict[str, float]:
        """AP by class under names that tell boxes from masks, where there are both."""
        kinds = self.curves if len(self.curves) > 1 else ()
        return {
            f'{kind}_{one["name"]}_precision': round(one['AP'], 3)
            for kind in kinds
            for one in self.curves[kind]['classes']
            if one['AP'] is not None
        }

    def results2json(self, results: Sequence[dict], outfile_prefix: str) -> dict:
        """What mmdet evaluates by metric: the predictions themselves, or the files of them."""
        numbers: list[int] = self.cat_ids
        self.cat_ids = names = [self._coco_api.category_names[number - 1] for number in numbers]
        if self.outfile_prefix is not None or self.backend == 'pycocotools':
            found = super().results2json(results, outfile_prefix)
        if self.backend == 'faster' and not self.format_only:
            found = self._tables(results, names)
        # mmdet names the numbers of the classes in this order, evaluators sort them.
        self.cat_ids = sorted(numbers)
        return found

    def _tables(self, results: Sequence[dict], names: Sequence[Name]) -> dict[str, list[Table]]:
        kinds = ['bbox', 'proposal', *(['segm'] if 'masks' in results[0] else [])]
        return {
            kind: [table_of_results(results, names, masks=kind == 'segm')]
            for kind in kinds
            if kind in self.metrics
        }


def _curves_of(evaluators: Sequence[COCOeval]) -> dict[str, Curves]:
    found = [(one.params.iouType, coco_curves(one)) for one in evaluators]
    return {kind: curves for kind, curves in found if curves}


def _with_rle(sample: dict) -> dict:
    prediction = sample['pred_instances']
    if not isinstance(prediction.get('masks'), Tensor):
        return sample
    masks, boxes = (prediction[name].detach().cpu().numpy() for name in ('masks', 'bboxes'))
    return {**sample, 'pred_instances': {**prediction, 'masks': encode_masks(masks, boxes)}}


@contextmanager
def _replaced(names: dict) -> Iterator[None]:
    """mmdet's module with other values of names that it reads from its globals.

    mmdet offers no parameter for them, and its compute_metrics is one function of 170
    lines, the rest of which is wanted as it is.
    """
    before = {name: getattr(mmdet_module, name) for name in names}
    vars(mmdet_module).update(names)
    try:
        yield
    finally:
        vars(mmdet_module).update(before)
