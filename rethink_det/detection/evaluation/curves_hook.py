"""The curves of a run, beside its checkpoints."""

import traceback
from collections.abc import Mapping
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.detection.evaluation.curves import UNMEASURED
from rethink_det.errors import in_one_line
from rethink_det.files import save_json
from rethink_det.layout import CURVES
from rethink_det.registry import HOOKS


@HOOKS.register_module()
class CurvesHook(Hook):
    """Write the precision-recall curves of each validation to ``curves.json``, the last one stays.

    They come from this package's ``CocoMetric`` and ``VOCMetric``, which remember them; with
    other metrics nothing is written. If there is something wrong with them, the file says so
    instead, see :func:`~rethink_det.detection.evaluation.curves.kept`, and the training goes on.
    """

    def after_val_epoch(self, runner: Runner, metrics: Mapping | None = None) -> None:
        """Ask the metrics for the curves of what they have just evaluated."""
        if not is_main_process():
            return
        curves: dict = {}
        for metric in runner.val_loop.evaluator.metrics:
            curves |= getattr(metric, 'curves', {})
        if not curves:
            return
        path = Path(runner.work_dir) / CURVES
        try:
            save_json(curves, path)
        except Exception as error:
            runner.logger.warning(traceback.format_exc())
            save_json({UNMEASURED: in_one_line(error)}, path)
