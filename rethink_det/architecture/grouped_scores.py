"""What is tied, in the form that Torch-Pruning's importances read."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch_pruning as tp
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from rethink_det.architecture.channel_ties import Nodes
from rethink_det.architecture.network import weight_of
from rethink_det.architecture.surgery import Surgeon, is_depthwise

SideScore = Callable[[Any, bool], Tensor | None]
"""Maps a layer or norm, and whether it is what it makes, to a score of each channel; ``None`` if
it has none for such."""


def scores_of_sets(surgeon: Surgeon, score: SideScore) -> Tensor:
    """Scores of all that is tied, added up: one for each set.

    Args:
        surgeon: Of the network.
        score: Is asked for each side of each layer and norm; of what a grouped convolution reads
            for the channels of one group.

    Returns:
        The scores ``(sets,)``; those of sets that there is no score for are 0.
    """
    total = torch.zeros(surgeon.trace.sets.number, dtype=torch.float64)
    for module, makes, sets in _sides(surgeon):
        scores = score(module, makes)
        if scores is not None:
            scores = scores.cpu().double().repeat(len(sets) // len(scores))
            total.index_add_(0, torch.from_numpy(sets), scores)
    return total


def tied_to_layer(surgeon: Surgeon, name: str) -> tp.Group:
    """What is tied to a layer, itself first; an importance gives a score for each channel of it."""
    channels = {one: at for at, one in enumerate(surgeon.coupling.layers[name].tolist())}
    own = (surgeon.producer(name), True)
    sides = {(module, makes): sets for module, makes, sets in _sides(surgeon)}
    group = tp.Group()
    for side in (own, *(side for side in sides if side != own)):
        tied = [
            (at, channels[one]) for at, one in enumerate(sides[side].tolist()) if one in channels
        ]
        if tied:
            _add(group, surgeon, side, *zip(*tied, strict=True))
    return group


def _add(group: tp.Group, surgeon: Surgeon, side: tuple[Any, bool], *places: Any) -> None:
    module, makes = side
    channels, roots = places
    pruner = tp.pruner.function.PrunerBox[tp.ops.module2type(module)]
    handler = pruner.prune_out_channels if makes else pruner.prune_in_channels
    node = tp.dependency.Node(module, None, surgeon.path_of(module))
    group.add_dep(tp.dependency.Dependency(handler, handler, node, node), list(channels))
    group.items[-1].root_idxs = list(roots)


def _sides(surgeon: Surgeon) -> Iterator[tuple[nn.Module, bool, Nodes]]:
    """Layers and norms, whether it is what they make or read, and the set of each channel."""
    trace = surgeon.trace
    layers = {weight_of(name): layer for name, layer in surgeon.named_layers()}
    norms = {f'{n}.weight': m for n, m in surgeon.model.named_modules() if _is_norm(m)}
    known: dict[str, Any] = {**layers, **norms}
    for (name, dim), nodes in trace.sides.items():
        if name in known and dim <= 1:
            sets, groups = trace.sets.of[nodes], getattr(known[name], 'groups', 1)
            if dim and not is_depthwise(known[name]):
                sets = np.tile(sets, groups)  # what is read stands once for all groups
            yield known[name], dim == 0, sets


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, (_BatchNorm, nn.LayerNorm))
