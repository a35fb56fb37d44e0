"""PASCAL VOC's AP without forking processes."""

from collections.abc import Sequence
from multiprocessing.pool import ThreadPool
from typing import Any

from mmdet.evaluation.functional import mean_ap
from mmdet.evaluation.metrics import VOCMetric as MMDetVOCMetric
from mmdet.evaluation.metrics import voc_metric as mmdet_module

from rethink_det.detection.evaluation.curves import Curves, kept, voc_curves
from rethink_det.registry import METRICS


@METRICS.register_module()
class VOCMetric(MMDetVOCMetric):
    """mmdet's VOCMetric (``pascal_voc/mAP``, ``pascal_voc/AP50``), the images matched by threads.

    mmdet forks processes for that, in the middle of training, and ends them by SIGTERM. One that
    inherited a handler for it never ends, and the run waits forever: a worker of Ray has such a
    handler. The numbers are the same.

    Attributes:
        curves: Of the last evaluation, under ``'bbox'``; empty if recall or scales were asked for.

    Source: Everingham et al., The PASCAL Visual Object Classes (VOC) Challenge, section 4.2.

    Args:
        **kwargs: Of ``mmdet.evaluation.VOCMetric``: ``metric``, ``iou_thrs``, ``eval_mode``, ...
    """

    curves: dict[str, Curves]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """All metrics of the collected predictions, as mmdet computes them.

        Args:
            results: (ground truth, prediction) per image, as gathered by ``process``.

        Returns:
            dict: metric name without prefix, e.g. ``'mAP'``, to value.
        """
        found: list[tuple[float, Sequence[dict]]] = []
        really, pool = mmdet_module.eval_map, mean_ap.Pool

        def remembered(*args: Any, iou_thr: float, **kwargs: Any) -> tuple[Any, Sequence[dict]]:
            mean, classes = really(*args, iou_thr=iou_thr, **kwargs)
            found.append((iou_thr, classes))
            return mean, classes

        # mmdet offers no parameter for either, and throws away what was found of the classes.
        mean_ap.Pool, mmdet_module.eval_map = ThreadPool, remembered
        try:
            metrics = super().compute_metrics(results)
        finally:
            mean_ap.Pool, mmdet_module.eval_map = pool, really
        self.curves = kept(lambda: self._curves(found))
        return metrics

    def _curves(self, found: Sequence[tuple[float, Sequence[dict]]]) -> dict[str, Curves]:
        curves = voc_curves(found, self.dataset_meta['classes'])
        return {'bbox': curves} if curves else {}
