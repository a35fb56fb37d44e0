"""Filters zeroed after every epoch and trained again in the next.

Paper: Soft Filter Pruning for Accelerating Deep Convolutional Neural Networks (He et al.,
arXiv 1808.06866), section 3.3, algorithm 1.
Deviation: none. As in the authors' code, filters are zeroed before the first epoch as well,
BatchNorm and momentum are not touched, and ``keep`` is the rate of filters *left*.
Expected: of 16, 32 and 64 filters 4, 9 and 19 are zero at ``keep=0.7``, and 1, 3 and 6 at 0.9.
"""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from rethink_det.bounds import check_number
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.model import backbone_layers, model_of


@HOOKS.register_module()
class SoftFilterHook(Hook):
    """Zero the filters of smallest L2 norm, layer by layer, whenever an epoch ends.

    It happens before the epoch's checkpoint is written and validated.

    Args:
        keep: Rate of filters left in each layer, above 0 and at most 1.
        layers: Pattern of names within the backbone, or several: the convolutions that this
            is about.

    Raises:
        UserError: A rate out of range, no pattern, or one that no convolution matches.
    """

    priority = 'BELOW_NORMAL'  # before_train: after TransferHook; after an epoch: before saving
    """Among the hooks of a run, in MMEngine's words."""

    def __init__(self, keep: float = 0.7, layers: str | list[str] = '*') -> None:
        self.keep = check_keep('SoftFilterHook', keep)
        patterns = [layers] if isinstance(layers, str) else layers
        if not isinstance(patterns, (list, tuple)) or not patterns:
            raise UserError(
                'SoftFilterHook: layers must be a name pattern of convolutions, or a list of '
                f'some, got {layers!r}.'
            )
        self.layers = list(patterns)

    def before_train(self, runner: Runner) -> None:
        """Zero the filters of the first weights; refuse a pattern that matches nothing."""
        convolutions = self._convolutions(model_of(runner))
        if runner.iter == 0:
            self._zero(convolutions)

    def after_train_epoch(self, runner: Runner) -> None:
        """Zero the filters."""
        self._zero(self._convolutions(model_of(runner)))

    def _convolutions(self, model: nn.Module) -> list[nn.Conv2d]:
        found: dict[str, nn.Conv2d] = {}
        for pattern in self.layers:
            matching = backbone_layers(model, nn.Conv2d, pattern)
            if not matching:
                raise UserError(
                    f'SoftFilterHook: {pattern!r} matches no convolution of the backbone; it has '
                    f'{", ".join(backbone_layers(model, nn.Conv2d)) or "none"}.'
                )
            found.update(matching)
        return list(found.values())

    def _zero(self, convolutions: list[nn.Conv2d]) -> None:
        for conv in convolutions:
            zero_filters(conv, num_zero(conv.out_channels, self.keep))


def check_keep(who: str, keep: float) -> float:
    """``keep``, if it is a rate of filters that can be left.

    Raises:
        UserError: It is not above 0 and at most 1; names who asked.
    """
    check_number(f'{who}: keep', keep)
    if not 0 < keep <= 1:
        raise UserError(f'{who}: keep must be above 0 and at most 1, got {keep}.')
    return keep


def num_zero(width: int, keep: float) -> int:
    """``int(width * (1 - keep))``: truncated in floating point, as the authors' code does."""
    return int(width * (1 - keep))


@torch.no_grad()
def zero_filters(conv: nn.Conv2d, count: int) -> None:
    """Set the ``count`` filters of smallest L2 norm to zero; of equal ones the first."""
    norms = conv.weight.flatten(1).norm(dim=1)
    conv.weight[norms.argsort(stable=True)[:count]] = 0
