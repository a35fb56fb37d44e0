"""How far a run is, for whoever watches from another process."""

import time
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.files import save_text
from rethink_det.layout import PROGRESS
from rethink_det.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Write ``done total`` iterations to ``progress.txt`` in the work dir.

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
            save_text(f'{runner.iter + 1} {runner.max_iters}', Path(runner.work_dir) / PROGRESS)
