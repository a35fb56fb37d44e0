"""Backbones of timm, through its feature interface (``features_only``)."""

from collections.abc import Sequence
from importlib import import_module
from math import sqrt
from typing import Any

from torch import Tensor, nn

from rethink_det.errors import UserError
from rethink_det.registry import MODELS


@MODELS.register_module()
class TimmBackbone(nn.Module):
    """A network of timm without its head, as a classifier's or a detector's backbone.

    Its parameters have timm's names behind ``network.``. It knows neither ``frozen_stages`` nor
    ``norm_eval``: all of it is trained, in every arm. (With BatchNorm kept at its statistics
    the gradients of EfficientNet-Lite0 were twelve times as large on ImageNet photographs.)
    timm is no dependency of this package.

    Args:
        model_name: As ``timm.list_models()`` has it, ``'resnet50'``.
        out_indices: Which of timm's feature maps to put out; for most networks map ``i`` has
            the stride ``2 ** (i + 1)``, so mmdet's ``(0, 1, 2, 3)`` is ``(1, 2, 3, 4)`` here.
            Default: all of them.
        **settings: Of ``timm.create_model``, what changes the network.

    Raises:
        UserError: timm is not installed, or does not make this network with feature maps.
    """

    def __init__(
        self, model_name: str, out_indices: Sequence[int] | None = None, **settings: Any
    ) -> None:
        super().__init__()
        try:
            timm = import_module('timm')
        except ImportError:
            raise UserError(
                f'Backbone {model_name!r} is one of timm, which is not installed: pip install timm.'
            ) from None
        chosen = {} if out_indices is None else {'out_indices': tuple(out_indices)}
        try:
            self.network = timm.create_model(
                model_name, features_only=True, pretrained=False, **chosen, **settings
            )
        except (RuntimeError, AssertionError, IndexError) as error:
            raise UserError(f'timm cannot make a backbone of {model_name!r}: {error}') from None

    def init_weights(self) -> None:
        """Draw initial weights for the widths the network has *now*.

        By the network's own rule if timm leaves it one behind the feature interface, else
        convolutions by the fan-out of each group (arXiv 1502.01852, equation 14), which is what
        timm's EfficientNets and ResNets start from: pruned and unpruned networks start alike.
        """
        if hasattr(self.network, 'init_weights'):
            self.network.init_weights()
            return
        for module in self.network.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
                nn.init.normal_(module.weight, 0, sqrt(2 / fan_out))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def train(self, mode: bool = True) -> 'TimmBackbone':
        """Training or evaluation mode.

        Raises:
            UserError: SyncBN took the place of a BatchNorm that applied the activation as well.
        """
        for name, module in self.named_modules():
            if type(module) is nn.SyncBatchNorm and hasattr(module, 'act'):
                raise UserError(
                    f'sync_bn cannot be used with this backbone: {name} is a BatchNorm with an '
                    'activation in it, which would be lost. Leave sync_bn off.'
                )
        return super().train(mode)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """``(N, 3, H, W)`` to the chosen feature maps, finest first."""
        return tuple(self.network(images))
