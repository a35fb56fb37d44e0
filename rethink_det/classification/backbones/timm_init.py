"""Initial weights of timm's networks, for the widths that they have now."""

from collections.abc import Callable
from importlib import import_module
from math import sqrt
from typing import Any

from torch import nn

RULE = '_init_weights'
"""What timm calls a family's rule, in the family's file: a function of a module and its name."""


def draw_weights(network: nn.Module, model_name: str) -> None:
    """Draw them by the network's own rule, behind every layer's own ``reset_parameters``, in place.

    It is the method of the network that is called so, else the function of its family. Where timm
    leaves none, convolutions are drawn by the fan-out of each group (arXiv 1502.01852, equation
    14), which is what its EfficientNets and ResNets start from: pruned and unpruned networks
    start alike.

    Args:
        network: As timm makes it, whole or as feature maps.
        model_name: timm's name of it.
    """
    inner: Any = getattr(network, 'model', network)
    if hasattr(inner, 'init_weights'):
        inner.init_weights()
        return
    rule = _rule_of_family(model_name)
    for name, module in network.named_modules():
        rule(module, name)


def _rule_of_family(model_name: str) -> Callable[[nn.Module, str], object]:
    models: Any = import_module('timm.models')
    family = import_module(models.model_entrypoint(model_name).__module__)
    return getattr(family, RULE, None) or _by_fan_out


def _by_fan_out(module: nn.Module, name: str) -> None:
    if isinstance(module, nn.Conv2d):
        fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
        nn.init.normal_(module.weight, 0, sqrt(2 / fan_out))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
