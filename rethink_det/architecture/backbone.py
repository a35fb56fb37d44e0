"""``type='rethink_det.PrunedBackbone'``: an architecture as the backbone of any model."""

from collections.abc import Mapping
from os import PathLike

from torch import nn

from rethink_det.architecture.pruned_architecture import PrunedArchitecture
from rethink_det.registry import MODELS


@MODELS.register_module(name='PrunedBackbone')
def pruned_backbone(
    architecture: PrunedArchitecture | Mapping | str | PathLike, **settings
) -> nn.Module:
    """Build the backbone that an architecture describes, with fresh weights.

    It is the base class itself (an ``mmdet.ResNet``, say) with narrower layers, not a
    wrapper: same parameter names, same speed, and the shape is final before the optimizer
    and DDP see it.

    Args:
        architecture: Published name, JSON file, checkpoint, dict, or the value itself.
        **settings: Training settings of the base class: ``frozen_stages``, ``norm_eval``,
            ``out_indices``, ...

    Raises:
        UserError: If the architecture cannot be loaded or built.
    """
    settings.pop('init_cfg', None)  # weights come from the transfer, never from the shape
    return PrunedArchitecture.load(architecture).build(**settings)
