"""Filters that soft pruning left at zero.

Paper: Soft Filter Pruning for Accelerating Deep Convolutional Neural Networks (He et al.,
arXiv 1808.06866), section 3: after every epoch the filters of smallest L2 norm are set to
zero, and trained on (:class:`~rethink_det.training.SoftFilterHook`); at the end what is at
zero is removed.
Deviation: a filter whose output is added to another layer's cannot be removed alone. Its
weights stay in place under a mask, which the costs do not count, as the code of arXiv
1810.05270 does with all filters. The constant that the BatchNorm of a removed filter puts out
(its shift, less its mean) goes with the filter.
Expected: no number; the code of arXiv 1810.05270 prints none on CIFAR.
"""

import warnings
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.pruning.pruner import Pruner
from rethink_det.registry import PRUNERS
from rethink_det.training.hooks.soft_filter import check_keep, num_zero, zero_filters


@PRUNERS.register_module()
class SoftFilterPruner(Pruner):
    """Remove the filters that are zero.

    Args:
        keep: Zero filters once more first, so that each convolution keeps this share; for a
            network that was not trained with :class:`~rethink_det.training.SoftFilterHook`.

    Raises:
        UserError: A share outside (0, 1].
    """

    dial = 'keep'

    @classmethod
    def turned(cls, level: float) -> dict[str, Any]:
        """The share that stays."""
        return {'keep': 1 - level}

    def preview(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> Cut:
        """The same; the filters are put back."""
        weights = [conv.weight for conv in surgeon.convolutions().values()]
        before = [weight.detach().clone() for weight in weights]
        try:
            return self.find(surgeon, architecture, None)
        finally:
            with torch.no_grad():
                for weight, filters in zip(weights, before, strict=True):
                    weight.copy_(filters)

    def __init__(self, keep: float | None = None) -> None:
        self.keep = None if keep is None else check_keep('SoftFilterPruner', keep)

    def beside_widths(self, architecture: PrunedArchitecture) -> str:
        """Filters that a residual addition ties to others, under masks."""
        return 'masks filters'

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """Channels where they can go, masks over whole filters elsewhere.

        Warns if no filter is zero.
        """
        channels, masks = {}, {}
        consumers: dict[str, list[int]] = {}
        followers: dict[str, list[int]] = {}
        convolutions = surgeon.convolutions()
        for name, conv in convolutions.items():
            if self.keep is not None:
                zero_filters(conv, num_zero(conv.out_channels, self.keep))
            alive = conv.weight.detach().flatten(1).any(1)
            if alive.all():
                continue
            kept = alive.nonzero().flatten().tolist()
            group = surgeon.group(name)
            if group.prunable and kept:
                channels[name] = tuple(kept)
                followers.update(dict.fromkeys(group.depthwise, kept))
                for consumer in surgeon.consumers(name):
                    consumers[consumer.name] = consumer.columns[kept].flatten().tolist()
            else:
                masks[name] = alive
        if not channels and not masks:
            warnings.warn(
                'No filter is zero, nothing is removed: train with rethink_det.SoftFilterHook, or '
                'say how many filters to keep.',
                stacklevel=2,
            )
        # What is left of a depthwise convolution when its channels follow another's.
        masks = {name: alive[followers.get(name, ...)] for name, alive in masks.items()}
        return Cut(
            channels=channels,
            masks={
                f'{surgeon.prefix}{name}.weight': _mask(
                    convolutions[name], alive, len(consumers.get(name, ()))
                )
                for name, alive in masks.items()
                if not alive.all()
            },
        )


def _mask(conv: nn.Conv2d, alive: Tensor, inputs: int) -> Tensor:
    """The mask of whole filters, for the inputs that are left when channels are cut."""
    _, read, *kernel = conv.weight.shape
    shape = (len(alive), inputs or read, *kernel)
    return alive.view(-1, 1, 1, 1).expand(shape).clone()
