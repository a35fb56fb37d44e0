"""COCO box and mask AP on faster-coco-eval: pycocotools' numbers in a fraction of the time."""

from collections.abc import Iterator
from contextlib import contextmanager

from faster_coco_eval import COCOeval_faster
from mmdet.evaluation.metrics import CocoMetric as MMDetCocoMetric
from mmdet.evaluation.metrics import coco_metric as mmdet_module
from pycocotools.cocoeval import COCOeval

from rethink_det.errors import UserError
from rethink_det.registry import METRICS


class FasterCocoEval(COCOeval_faster):
    """pycocotools' COCOeval with matching and accumulation in C++.

    The summary stays pycocotools' own: faster-coco-eval's reads the mAP at the largest
    number of detections, pycocotools' at 100, and they part where a detector gives
    more than 100 boxes of one class in an image.
    """

    summarize = COCOeval.summarize


class CocoApi(mmdet_module.COCO):
    """mmdet's COCO, except that it also accepts an empty list of predictions."""

    def loadRes(self, resFile: list[dict]) -> mmdet_module.COCO:  # noqa: N802, N803
        """The predictions as a COCO object; see ``pycocotools.coco.COCO.loadRes``.

        pycocotools looks into the first prediction and fails if there is none, mmdet
        then leaves all metrics out. A detector that predicts nothing has an AP, though: 0.
        """
        if len(resFile):
            return super().loadRes(resFile)
        nothing = mmdet_module.COCO()
        nothing.dataset = {**self.dataset, 'annotations': []}
        nothing.createIndex()
        return nothing


_EVALUATORS = {'faster': FasterCocoEval, 'pycocotools': COCOeval}


@METRICS.register_module()
class CocoMetric(MMDetCocoMetric):
    """mmdet's CocoMetric (``coco/bbox_mAP``, ``coco/segm_mAP``, ...), evaluated faster.

    Use as ``type='rethink_det.CocoMetric'``. AP and AR are in [0, 1], rounded to three
    digits by mmdet; -1 where the annotations hold no object of that size, as always in
    COCO. Without a single prediction every metric is there, 0.0 instead of missing.

    Source: Lin et al., Microsoft COCO, arXiv 1405.0312, and pycocotools' ``cocoeval.py``.

    Args:
        backend: ``'faster'`` (faster-coco-eval) or ``'pycocotools'``; same numbers.
        **kwargs: of ``mmdet.evaluation.CocoMetric``: ``ann_file``, ``metric``
            (``'bbox'``, ``'segm'``, ...), ``classwise``, ...

    Raises:
        UserError: unknown ``backend``, or ``use_mp_eval=True`` with the faster backend.
    """

    def __init__(self, *args, backend: str = 'faster', **kwargs) -> None:
        if backend not in _EVALUATORS:
            raise UserError(
                f"CocoMetric: unknown backend '{backend}'; valid: {', '.join(_EVALUATORS)}."
            )
        self.backend = backend
        with self._evaluator():
            super().__init__(*args, **kwargs)
        if self.use_mp_eval and backend == 'faster':
            raise UserError(
                'CocoMetric: use_mp_eval=True is pycocotools in several processes; remove it, '
                "or set backend='pycocotools'."
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """All metrics of the collected predictions.

        Args:
            results: (ground truth, prediction) per image, as gathered by ``process``.

        Returns:
            dict: metric name without prefix, e.g. ``'bbox_mAP'``, to value.
        """
        with self._evaluator():
            return super().compute_metrics(results)

    @contextmanager
    def _evaluator(self) -> Iterator[None]:
        """mmdet's module with our classes in place of the two it reads from its globals.

        mmdet offers no parameter for them, and its compute_metrics is one function of 170
        lines, the rest of which is wanted as it is.
        """
        before = mmdet_module.COCO, mmdet_module.COCOeval
        mmdet_module.COCO, mmdet_module.COCOeval = CocoApi, _EVALUATORS[self.backend]
        try:
            yield
        finally:
            mmdet_module.COCO, mmdet_module.COCOeval = before
