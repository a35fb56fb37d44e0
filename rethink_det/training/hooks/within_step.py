"""Hooks that belong to a training step: they can be recorded with it."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner


class WithinStepHook(Hook):
    """Base of hooks that change tensors right after the optimizer did.

    What they do is in two parts, so that ``FastEpochLoop`` can record the first of them together
    with the step and repeat it; any other loop calls :meth:`after_train_iter`, which is both.
    """

    def after_step(self, runner: Runner) -> None:
        """Operations on tensors that stay the same objects, without reading a number of them."""

    def between_steps(self, runner: Runner) -> None:
        """Whatever else is done; tensors that :meth:`after_step` reads are changed in place."""

    def after_train_iter(self, runner: Runner, batch_idx: int, **kwargs: Any) -> None:
        """Both parts."""
        self.after_step(runner)
        self.between_steps(runner)
