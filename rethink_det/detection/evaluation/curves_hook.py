"""The curves of a run, beside its checkpoints."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.files import save_json
from rethink_det.layout import CURVES
from rethink_det.registry import HOOKS


@HOOKS.register_module()
class CurvesHook(Hook):
    """Write the precision-recall curves of each validation to ``curves.json``, the last one stays.

    They come from this package's ``CocoMetric`` and ``VOCMetric``, which remember them; with
    other metrics nothing is written.
    """

    def after_val_epoch(self, runner: Runner, metrics: Mapping | None = None) -> None:
        """Ask the metrics for the curves of what they have just evaluated."""
        if not is_main_process():
            return
        curves: dict = {}
        for metric in runner.val_loop.evaluator.metrics:
            curves |= getattr(metric, 'curves', {})
        if curves:
            save_json(curves, Path(runner.work_dir) / CURVES)
