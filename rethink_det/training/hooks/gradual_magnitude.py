"""Weights removed little by little while the network trains.

Paper: To prune, or not to prune: exploring the efficacy of pruning for model compression (Zhu
and Gupta, arXiv 1710.01878), section 3, equation 1.
Deviation: One mask over all convolutions of the backbone by a global threshold, where the paper
sorts layer by layer; and a weight that was removed stays removed, where the paper's library
keeps its last value and may bring it back.
"""

from collections.abc import Mapping

import torch
from mmengine.runner import Runner
from torch import Tensor, nn

from rethink_det.architecture import weight_masks
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.weight_masks import WeightMasks
from rethink_det.bounds import check_count, check_number
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.hooks.masking import MaskingHook
from rethink_det.training.hooks.within_step import WithinStepHook
from rethink_det.training.model import backbone_layers, model_of


@HOOKS.register_module()
class GradualMagnitudeHook(MaskingHook, WithinStepHook):
    """Raise the share of removed weights from ``start`` to ``sparsity``, fast and then slowly.

    Args:
        sparsity: Share of the backbone's convolution weights that is removed in the end.
        start: Share removed at once at ``begin``.
        begin: Epochs of training before it starts.
        end: Epochs of training after which the mask is final.
        interval: Iterations from one mask to the next.

    Raises:
        UserError: Impossible shares or times, an end after that of the training, or a resumed
            checkpoint without masks.
    """

    def __init__(
        self,
        sparsity: float,
        end: float,
        start: float = 0.0,
        begin: float = 0,
        interval: int = 100,
    ) -> None:
        super().__init__()
        given = {'sparsity': sparsity, 'start': start, 'begin': begin, 'end': end}
        for name, value in given.items():
            check_number(f'GradualMagnitudeHook: {name}', value)
        if not 0 <= start < sparsity < 1:
            raise UserError(
                'GradualMagnitudeHook: 0 <= start < sparsity < 1 must hold, got '
                f'start={start}, sparsity={sparsity}.'
            )
        if not 0 <= begin < end:
            raise UserError(
                f'GradualMagnitudeHook: 0 <= begin < end must hold, got begin={begin}, end={end}.'
            )
        self.interval = check_count('GradualMagnitudeHook: interval', interval)
        self.sparsity, self.start = sparsity, start
        self.begin, self.end = begin, end
        self._loaded: WeightMasks = {}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the masks, in case this is a resume."""
        self._loaded = Checkpoint.from_dict(checkpoint).masks

    def before_train(self, runner: Runner) -> None:
        """Start dense, or with the masks of the run that is resumed."""
        self._first, self._updates = self._times(runner)
        weights = self._weights(runner)
        if runner.iter == 0:
            self.hold(model_of(runner), {n: torch.ones_like(w).bool() for n, w in weights.items()})
            self._advance(runner, 0)
            return
        if not self._loaded:
            raise UserError(
                'GradualMagnitudeHook: the checkpoint has no masks, so its run cannot be resumed '
                'with this hook: use load_from.'
            )
        self.hold(model_of(runner), self._loaded)

    def after_step(self, runner: Runner) -> None:
        """Keep removed weights at zero."""
        # The momentum of a weight from before its removal would move it once more.
        weight_masks.apply(model_of(runner), self.masks)

    def between_steps(self, runner: Runner) -> None:
        """Remove more weights if it is time."""
        self._advance(runner, runner.iter + 1)

    def _times(self, runner: Runner) -> tuple[int, int]:
        """The iteration of the first mask, and how many follow it."""
        if self.end > runner.max_epochs:
            raise UserError(
                f'GradualMagnitudeHook: end={self.end} is after the last of '
                f'{runner.max_epochs} epochs: the sparsity would never be reached.'
            )
        length = runner.max_iters // runner.max_epochs
        first, last = round(self.begin * length), round(self.end * length)
        if last - first < self.interval:
            raise UserError(
                f'GradualMagnitudeHook: interval={self.interval} is longer than the '
                f'{last - first} iterations from begin to end.'
            )
        return first, (last - first) // self.interval

    def _advance(self, runner: Runner, done: int) -> None:
        """Put the mask of this moment in force, ``done`` iterations after the start."""
        update, rest = divmod(done - self._first, self.interval)
        if rest or not 0 <= update <= self._updates:
            return
        share = sparsity_at(update, self._updates, self.start, self.sparsity)
        self.hold(model_of(runner), smallest_removed(self._weights(runner), self.masks, share))
        empty = [name for name, count in weight_masks.weights_kept(self.masks).items() if not count]
        runner.logger.info(
            f'{share:.2%} of the convolution weights are removed; '
            f'{", ".join(empty) or "no layer"} is empty.'
        )

    def _weights(self, runner: Runner) -> dict[str, Tensor]:
        convolutions = backbone_layers(model_of(runner), nn.Conv2d)
        return {f'{name}.weight': conv.weight.detach() for name, conv in convolutions.items()}


def sparsity_at(update: int, updates: int, start: float, end: float) -> float:
    """Equation 1: the share of removed weights after ``update`` of ``updates`` steps."""
    return end + (start - end) * (1 - update / updates) ** 3


def smallest_removed(
    weights: Mapping[str, Tensor], masks: WeightMasks, share: float
) -> dict[str, Tensor]:
    """Masks without the ``int(N * share)`` smallest of all N weights, those removed before first.

    Args:
        weights: By name, all together ranked by magnitude; of equal ones the first goes.
        masks: Of the same names: what is removed already.
        share: In [0, 1).
    """
    ranks = torch.cat(
        [w.abs().masked_fill(~masks[name], -1).flatten() for name, w in weights.items()]
    )
    left = torch.ones_like(ranks, dtype=torch.bool)
    left[ranks.argsort(stable=True)[: int(len(ranks) * share)]] = False
    parts = left.split([w.numel() for w in weights.values()])
    return {name: part.view_as(weights[name]) for name, part in zip(weights, parts, strict=True)}
