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
        The scores ``(sets,)``, in double precision, on the network's device; those of sets that
        there is no score for are 0.
    """
    device = next(surgeon.model.parameters()).device
    total = torch.zeros(surgeon.trace.sets.number, dtype=torch.float64, device=device)
    for module, makes, sets in tied_sides(surgeon):
        scores = score(module, makes)
        if scores is not None:
            scores, times = scores.double(), len(sets) // len(scores)
            scores = scores.repeat(times) if times > 1 else scores
            total.index_add_(0, torch.from_numpy(sets).to(device), scores)
    return total


def tied_to_layer(surgeon: Surgeon, name: str) -> tp.Group:
    """What is tied to a layer, itself first; an importance gives a score for each channel of it."""
    channels = {one: at for at, one in enumerate(surgeon.coupling.layers[name].tolist())}
    own = (surgeon.producer(name), True)
    sides = {(module, makes): sets for module, makes, sets in tied_sides(surgeon)}
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


def squares(module: Any, makes: bool) -> Tensor | None:
    """Sums of squares of all weights by output or by input channel; of depthwise filters none.

    What DepGraph (arXiv 2301.12900, section 3.3) adds up, as Torch-Pruning counts it.

    Args:
        module: A layer or a norm.
        makes: Whether it is by what it makes; of a grouped convolution's inputs those of a group.
    """
    weight = module.weight.detach()
    if is_depthwise(module):
        return None
    others = [dim for dim in range(weight.ndim) if dim != (0 if makes else 1)]
    return weight.square().sum(others) if others else weight.square()


def tied_sides(surgeon: Surgeon) -> Iterator[tuple[Any, bool, Nodes]]:
    """Layers and norms, whether it is what they make or read, and the set of each channel.

    Args:
        surgeon: Of the network.
    """
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
