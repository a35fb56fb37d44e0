"""A network of timm made narrower: what a written factory does. It needs torch alone."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


def narrowed(
    model: nn.Module, attributes: Mapping[str, Mapping[str, Any]], state: Mapping[str, Tensor]
) -> nn.Module:
    """A whole network with the layers and weights of a narrower one, in place.

    Args:
        model: As timm makes it.
        attributes: By the names of its modules, what they say of themselves when they are narrow.
        state: All weights of the narrower one.

    Raises:
        ValueError: The weights are not those of such a network.
    """
    differing = set(state) ^ set(model.state_dict())
    if differing:
        raise ValueError(f'weights of another network, or version of timm: {min(differing)}')
    for name, values in attributes.items():
        for key, value in values.items():
            setattr(model.get_submodule(name), key, value)
    for name, tensor in state.items():
        place, _, leaf = name.rpartition('.')
        module = model.get_submodule(place)
        if leaf in module._parameters:
            module._parameters[leaf] = nn.Parameter(tensor.clone())
        else:
            module._buffers[leaf] = tensor.clone()
    return model
