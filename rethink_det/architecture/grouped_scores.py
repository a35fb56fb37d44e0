"""Coupled groups in the form that Torch-Pruning's importances read."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch_pruning as tp
from torch import nn

from rethink_det.architecture.coupled_group import Unit
from rethink_det.architecture.coupling import sets_of_layers
from rethink_det.architecture.network import weight_of
from rethink_det.architecture.surgery import Surgeon, is_depthwise

_Side = tuple[nn.Module, bool]
"""A module, and whether it is its output's side."""

_Places = tuple[list[int], list[int]]
"""Channels of a module, and what each is a part of."""


def tied_to_layer(surgeon: Surgeon, name: str) -> tp.Group:
    """What is tied to a layer, itself first; an importance gives a score for each channel of it."""
    sets = sets_of_layers(surgeon)[name].tolist()
    sides = _sides(surgeon, {one: channel for channel, one in enumerate(sets)})
    own = (surgeon.producer(name), True)
    group = tp.Group()
    for side in (own, *(side for side in sides if side != own)):
        _add(group, surgeon, side, *sides[side])
    return group


def tied_sides(
    surgeon: Surgeon, kinds: Iterable[Iterable[Unit]]
) -> Iterator[tuple[tp.Group, list[int]]]:
    """Everything that units of a group are made and read by, each as a group of its own.

    Args:
        surgeon: Of the network.
        kinds: The units by kind; they are numbered in their order.

    Yields:
        What an importance is called with, and the number of the unit that each score is of.
    """
    for side, (places, units) in _sides(surgeon, _numbers(surgeon, kinds)).items():
        group = tp.Group()
        _add(group, surgeon, side, places, list(range(len(places))))
        yield group, units


def _add(
    group: tp.Group, surgeon: Surgeon, side: _Side, places: list[int], roots: list[int]
) -> None:
    module, makes = side
    pruner = tp.pruner.function.PrunerBox[tp.ops.module2type(module)]
    handler = pruner.prune_out_channels if makes else pruner.prune_in_channels
    node = tp.dependency.Node(module, None, surgeon.path_of(module))
    group.add_dep(tp.dependency.Dependency(handler, handler, node, node), places)
    group.items[-1].root_idxs = roots


def _sides(surgeon: Surgeon, roots: Mapping[int, int]) -> dict[_Side, _Places]:
    trace = surgeon.trace
    layers = {weight_of(name): layer for name, layer in surgeon.named_layers()}
    norms = {f'{n}.weight': m for n, m in surgeon.model.named_modules() if _is_norm(m)}
    found: dict[_Side, _Places] = {}
    for (name, dim), nodes in trace.sides.items():
        module = layers.get(name) or norms.get(name)
        if module is None or dim > 1:
            continue
        sets = trace.sets.of[nodes].tolist()
        places = [(place, roots[one]) for place, one in enumerate(sets) if one in roots]
        if places:
            places = list(_in_every_group(module, places)) if dim else places
            found[module, dim == 0] = [p for p, _ in places], [r for _, r in places]
    return found


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.LayerNorm))


def _in_every_group(module: Any, places: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Inputs of a convolution; of one of groups those of all of them."""
    groups = getattr(module, 'groups', 1)
    if groups == 1 or is_depthwise(module):
        return places
    size = module.in_channels // groups
    return [(group * size + place, root) for group in range(groups) for place, root in places]


def _numbers(surgeon: Surgeon, kinds: Iterable[Iterable[Unit]]) -> dict[int, int]:
    """Which unit each set of tied channels is."""
    sets = sets_of_layers(surgeon)
    firsts = (next(iter(unit.items())) for units in kinds for unit in units)
    return {int(sets[name][channels[0]]): n for n, (name, channels) in enumerate(firsts)}
