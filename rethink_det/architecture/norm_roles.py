"""What a BatchNorm stands for: the channels a layer makes, or the inputs a layer reads."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch_pruning as tp
from torch import nn

from rethink_det.architecture.input_selection import in_width
from rethink_det.architecture.network import Layer
from rethink_det.architecture.surgery import Surgeon

Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm
_PASSING = (tp.ops.OPTYPE.ELEMENTWISE, tp.ops.OPTYPE.RESHAPE)


@dataclass(frozen=True)
class NormRole:
    """A BatchNorm whose scaling factors rank something that can be removed.

    Attributes:
        name: Name of the BatchNorm.
        module: The BatchNorm.
        makes: The layer whose output channels it scales, if they can be cut.
        reads: Otherwise the layers that read it and nothing else: pre-activation, where
            each of them can select its inputs.
    """

    name: str
    module: Norm
    makes: str | None
    reads: tuple[str, ...]


def norm_roles(surgeon: Surgeon) -> list[NormRole]:
    """The role of every BatchNorm that has one, in the network's order.

    A BatchNorm on a residual stream after the addition's summand (``bn3`` of a post-activation
    bottleneck) has none: nothing of it can be removed alone.
    """
    roles = []
    for module in surgeon.model.modules():
        if not isinstance(module, Norm) or module not in surgeon.graph.module2node:
            continue
        if not surgeon.owns(module):
            continue
        node = surgeon.graph.module2node[module]
        name, makes = surgeon.name_of(module), _maker(surgeon, node)
        reads = () if makes else _consumers(surgeon, node)
        if makes or reads:
            roles.append(NormRole(name, module, makes, reads))
    return roles


def _maker(surgeon: Surgeon, node: tp.dependency.Node) -> str | None:
    """The layer right in front, if this BatchNorm is all that reads it."""
    before = node.inputs
    if len(before) != 1 or len(before[0].outputs) != 1:
        return None
    layer = before[0].module
    known = isinstance(layer, Layer)
    name = surgeon.name_of(layer) if known else None
    if name not in [*surgeon.layers(), *surgeon.units()]:
        return None
    if not surgeon.group(name).prunable:
        return None
    # Another BatchNorm on the way ranks the same channels for its own consumers.
    norms = [i for i in surgeon.tied_group(name).items if isinstance(i.dep.target.module, Norm)]
    return name if len(norms) == 1 else None


def _consumers(surgeon: Surgeon, node: tp.dependency.Node) -> tuple[str, ...]:
    """The layers behind, if there is nothing else behind, and they read whole channels."""
    ends = list(_ends(node))
    width = node.module.num_features
    consumers = [end.module for end in ends if end is not None]
    plain = all(
        isinstance(m, Layer)
        and surgeon.owns(m)
        and getattr(m, 'groups', 1) == 1
        and in_width(m) % width == 0
        for m in consumers
    )
    if len(consumers) != len(ends) or not consumers or not plain:
        return ()
    return tuple(dict.fromkeys(surgeon.name_of(m) for m in consumers))


def _ends(node: tp.dependency.Node) -> Iterator[tp.dependency.Node | None]:
    """Where the output of ``node`` ends up; None for a sum, a concatenation or the output."""
    if not node.outputs:
        yield None
    for after in node.outputs:
        if after.type not in _PASSING:
            layer = isinstance(after.module, Layer)
            yield after if layer else None
        elif len(after.inputs) > 1:
            yield None
        else:
            yield from _ends(after)
