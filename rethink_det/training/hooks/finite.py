"""A training that diverged stops where it did, and leaves no checkpoint of it."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from rethink_det.architecture.checkpoint import WEIGHTS
from rethink_det.architecture.finite import first_not_finite
from rethink_det.errors import DivergedError
from rethink_det.registry import HOOKS


@HOOKS.register_module()
class FiniteHook(Hook):
    """End a training whose loss, or whose weights, are not finite.

    Nothing that comes after such a step means anything: the network would be evaluated, saved and
    compared all the same. With a loss scale (float16) a step whose gradients overflow is left
    out by the optimizer, so there only a whole ``interval`` of them ends the training.

    Args:
        interval: How many steps a GPU may be ahead: their losses are looked at together, so that
            it need not be waited for in each. On a CPU they are looked at one by one.
    """

    priority = 'VERY_HIGH'  # before anything of such a step is logged or saved
    """Among the hooks of a run, in MMEngine's words."""

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self._losses: list[Tensor] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Look at the loss of the step, or remember it.

        Raises:
            DivergedError: It is not finite.
        """
        loss = (outputs or {}).get('loss')
        if isinstance(loss, Tensor):
            self._losses.append(loss.detach().clone() if loss.is_cuda else loss.detach())
            waits = loss.is_cuda or _scales_its_loss(runner)
            if not waits or len(self._losses) >= self.interval:
                self._look(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at the last losses of the epoch.

        Raises:
            DivergedError: One is not finite.
        """
        self._look(runner, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look at what is to be saved.

        Raises:
            DivergedError: A weight is not finite.
        """
        name = first_not_finite(checkpoint.get(WEIGHTS, {}))
        if name is not None:
            raise DivergedError(_diverged(f'{name} is not finite', runner, runner.iter))

    def _look(self, runner: Runner, done: int) -> None:
        losses, self._losses = self._losses, []
        if not losses:
            return
        finite = torch.stack([loss.float().mean() for loss in losses]).isfinite().tolist()
        if all(finite) or (_scales_its_loss(runner) and any(finite)):
            return
        step = done - len(losses) + finite.index(False) + 1
        value = losses[finite.index(False)].float().mean().item()
        raise DivergedError(_diverged(f'the loss is {value}', runner, step))


def _scales_its_loss(runner: Runner) -> bool:
    """Whether the optimizer leaves out steps whose gradients are not finite."""
    scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
    return bool(scaler is not None and scaler.is_enabled())


def _diverged(what: str, runner: Runner, step: int) -> str:
    return (
        f'The training diverged: {what} in step {step} (epoch {runner.epoch + 1}) of '
        f'{runner.work_dir}. A lower learning rate, a longer warm-up or gradient clipping '
        '(optim_wrapper.clip_grad=dict(max_norm=35)) may help; look at the data too '
        '(rethink-det check).'
    )
