"""How far a run is, for whoever watches from another process."""

import time
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.files import save_text
from rethink_det.layout import PROGRESS
from rethink_det.registry import HOOKS
from rethink_det.report.run_times import Progress


@HOOKS.register_module()
class ProgressHook(Hook):
    """Write iterations done and in all, epochs and the last loss to ``progress.txt``.

    It is in the work dir, see :class:`~rethink_det.report.run_times.Progress`.

    Args:
        interval: Seconds between two writings.
    """

    priority = 'VERY_LOW'
    """Among the hooks of a run, in MMEngine's words."""

    def __init__(self, interval: float = 1.0) -> None:
        self.interval, self._last = interval, float('-inf')

    def after_train_iter(self, runner: Runner, batch_idx: int, **kwargs: Any) -> None:
        """Write, if it is time."""
        now = time.monotonic()
        if now - self._last >= self.interval:
            self._last = now
            progress = Progress(runner.iter + 1, runner.max_iters, runner.max_epochs, _loss(runner))
            save_text(progress.text, Path(runner.work_dir) / PROGRESS)


def _loss(runner: Runner) -> float | None:
    """The last one that MMEngine's log has; asking waits for the device."""
    history = runner.message_hub.log_scalars.get('train/loss')
    return None if history is None else float(history.current())
