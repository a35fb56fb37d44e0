"""What the metrics of a run would be on other test images, beside its checkpoints."""

import traceback
from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.errors import in_one_line
from rethink_det.registry import HOOKS
from rethink_det.report.image_replicates import ImageReplicates, write_reason


@HOOKS.register_module()
class ImageReplicatesHook(Hook):
    """Write ``replicates.json`` after the last evaluation of a training, and after every test.

    The replicates come from this package's metrics, which remember what they found on each image
    where they are asked to beforehand (``keep_images``), and tell (``image_replicates()``); with
    other metrics nothing is written. If something is wrong, the file says what, and the training
    goes on.
    """

    def before_val_epoch(self, runner: Runner) -> None:
        """Let the metrics remember, if no training follows."""
        _ask(runner.val_loop.evaluator.metrics, runner.iter >= runner.max_iters)

    def before_test_epoch(self, runner: Runner) -> None:
        """Let the metrics remember."""
        _ask(runner.test_loop.evaluator.metrics, True)

    def after_val_epoch(self, runner: Runner, metrics: Mapping | None = None) -> None:
        """Ask the metrics, if no training follows."""
        if runner.iter >= runner.max_iters:
            _write(runner.val_loop.evaluator.metrics, Path(runner.work_dir))

    def after_test_epoch(self, runner: Runner, metrics: Mapping | None = None) -> None:
        """Ask the metrics."""
        _write(runner.test_loop.evaluator.metrics, Path(runner.work_dir))


def _ask(metrics: Iterable[Any], wanted: bool) -> None:
    for metric in metrics:
        if hasattr(metric, 'keep_images'):
            metric.keep_images = wanted


def _write(metrics: Iterable[BaseMetric], folder: Path) -> None:
    """In the main process, which alone has the predictions of all."""
    if not is_main_process():
        return
    try:
        found = _found(metrics)
        if found is not None:
            found.write(folder)
    except Exception as error:
        traceback.print_exc()
        write_reason(in_one_line(error), folder)


def _found(metrics: Iterable[Any]) -> ImageReplicates | None:
    known = [metric for metric in metrics if hasattr(metric, 'image_replicates')]
    each = [metric.image_replicates() for metric in known]
    return reduce(ImageReplicates.joined, each) if each else None
