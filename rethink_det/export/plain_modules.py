"""A module that is narrower than mmdet's: what a written detector is made of, with MMEngine."""

from collections.abc import Mapping
from typing import Any

from mmengine.registry import MODELS
from torch import nn


@MODELS.register_module(name='NarrowedModule', force=True)
def narrowed_module(whole: Mapping[str, Any], layers: Mapping[str, Mapping[str, Any]]) -> nn.Module:
    """A module of mmdet with fewer channels, of the same class and with the same names.

    Args:
        whole: Its config, as mmdet builds it.
        layers: By the names of its layers, the shapes of their tensors and what they say of
            themselves, where that is not as in the whole one.
    """
    module = MODELS.build(whole)
    for name, values in layers.items():
        layer: Any = module.get_submodule(name)
        for key, value in values.items():
            if key in layer._parameters:
                old = layer._parameters[key]
                new = next(module.parameters()).new_zeros(value)
                trained = old is None or old.requires_grad
                layer._parameters[key] = nn.Parameter(new, requires_grad=trained)
            elif key in layer._buffers:
                layer._buffers[key] = layer._buffers[key].new_zeros(value)
            else:
                setattr(layer, key, value)
        if hasattr(layer, 'reset_parameters'):
            layer.reset_parameters()
    return module
