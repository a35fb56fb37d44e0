"""Initial weights of torchvision's models, for the widths that they have now.

torchvision draws them while it builds a model, and so cannot draw those of a narrower one. Its
rules stand here by family. Norms begin at scale 1 and shift 0 in all of them, by their own
``reset_parameters``.
"""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import init

Draw = Callable[[Tensor], object]
"""Fills a tensor with initial values, in place."""


def _as_reset(_: Tensor) -> None:
    """What the layer's own ``reset_parameters`` has drawn stays."""


class Rule(NamedTuple):
    """How weights and biases of a family's layers begin."""

    conv: Draw = _as_reset
    conv_bias: Draw = _as_reset
    linear: Draw = _as_reset
    linear_bias: Draw = _as_reset


def _truncated(std: float) -> Draw:
    return partial(init.trunc_normal_, std=std, a=-2, b=2)


def _by_fan_in(weight: Tensor) -> None:
    init.trunc_normal_(weight, std=sqrt(1 / weight[0].numel()))


_FAN_OUT = partial(init.kaiming_normal_, mode='fan_out', nonlinearity='relu')
_NORMAL = partial(init.normal_, std=0.02)

RULES = {
    'AlexNet': Rule(),
    'ConvNeXt': Rule(_truncated(0.02), init.zeros_, _truncated(0.02), init.zeros_),
    'DenseNet': Rule(init.kaiming_normal_),
    'EfficientNet': Rule(_FAN_OUT, init.zeros_),
    'GoogLeNet': Rule(_truncated(0.01)),
    'Inception3': Rule(_truncated(0.1)),
    'MNASNet': Rule(_FAN_OUT, init.zeros_),
    'MaxVit': Rule(_NORMAL, init.zeros_, _NORMAL, init.zeros_),
    'MobileNetV2': Rule(_FAN_OUT, init.zeros_),
    'MobileNetV3': Rule(_FAN_OUT, init.zeros_, partial(init.normal_, std=0.01), init.zeros_),
    'RegNet': Rule(_FAN_OUT),
    'ResNet': Rule(_FAN_OUT),
    'ShuffleNetV2': Rule(),
    'SqueezeNet': Rule(init.kaiming_uniform_, init.zeros_),
    'SwinTransformer': Rule(linear=_truncated(0.02), linear_bias=init.zeros_),
    'VGG': Rule(_FAN_OUT, init.zeros_, partial(init.normal_, std=0.01), init.zeros_),
    'VisionTransformer': Rule(
        _by_fan_in, init.zeros_, init.xavier_uniform_, partial(init.normal_, std=1e-6)
    ),
}
"""By the class of torchvision; there is no other one."""

PARAMETERS: dict[str, Draw] = {
    'class_token': init.zeros_,
    'pos_embedding': _NORMAL,
    'relative_position_bias_table': _truncated(0.02),
}
"""Parameters that are no layer's, by the ends of their names."""


def draw_weights(network: nn.Module) -> None:
    """Draw a model's initial weights, behind every layer's own ``reset_parameters``, in place.

    Args:
        network: A model of torchvision of one of the families of :data:`RULES`.
    """
    rule = RULES[type(network).__name__]
    for module in network.modules():
        if isinstance(module, nn.MultiheadAttention):
            module._reset_parameters()
        elif isinstance(module, nn.Conv2d):
            _draw(module, rule.conv, rule.conv_bias)
        elif type(module) is nn.Linear:  # not that of an attention, a class of its own
            _draw(module, rule.linear, rule.linear_bias)
    for name, parameter in network.named_parameters():
        PARAMETERS.get(name.rpartition('.')[2], _as_reset)(parameter)


def _draw(layer: nn.Conv2d | nn.Linear, weight: Draw, bias: Draw) -> None:
    weight(layer.weight)
    if layer.bias is not None:
        bias(layer.bias)
