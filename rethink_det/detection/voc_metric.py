"""PASCAL VOC's AP without forking processes."""

from multiprocessing.pool import ThreadPool

from mmdet.evaluation.functional import mean_ap
from mmdet.evaluation.metrics import VOCMetric as MMDetVOCMetric

from rethink_det.registry import METRICS


@METRICS.register_module()
class VOCMetric(MMDetVOCMetric):
    """mmdet's VOCMetric (``pascal_voc/mAP``, ``pascal_voc/AP50``), the images matched by threads.

    mmdet forks processes for that, in the middle of training, and ends them by SIGTERM. One that
    inherited a handler for it never ends, and the run waits forever: a worker of Ray has such a
    handler. The numbers are the same.

    Source: Everingham et al., The PASCAL Visual Object Classes (VOC) Challenge, section 4.2.

    Args:
        **kwargs: Of ``mmdet.evaluation.VOCMetric``: ``metric``, ``iou_thrs``, ``eval_mode``, ...
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """All metrics of the collected predictions, as mmdet computes them.

        Args:
            results: (ground truth, prediction) per image, as gathered by ``process``.

        Returns:
            dict: metric name without prefix, e.g. ``'mAP'``, to value.
        """
        before = mean_ap.Pool
        mean_ap.Pool = ThreadPool  # mmdet offers no parameter for it
        try:
            return super().compute_metrics(results)
        finally:
            mean_ap.Pool = before
