"""The layers of an unpruned network that an architecture can say something of."""

from typing import TYPE_CHECKING

from torch import nn

from rethink_det.architecture.blocks import check_blocks
from rethink_det.architecture.building import unpruned
from rethink_det.architecture.channel_indices import check_kept
from rethink_det.architecture.input_selection import in_width, selectable
from rethink_det.architecture.network import (
    BACKBONE,
    HEAD,
    Network,
    module_name,
    named_layers,
)
from rethink_det.architecture.surgery import width_of
from rethink_det.errors import UserError

if TYPE_CHECKING:
    from rethink_det.architecture.pruned_architecture import PrunedArchitecture


def widths(network: Network) -> dict[str, int]:
    """Output channels of every layer that can lose some, in order.

    These are the backbone's convolutions and linear layers (of which the latter only go with
    coupled groups) and the hidden linear layers of the head.
    """
    layers = {name: width_of(layer) for name, layer in named_layers(network.backbone)}
    head = network.head.named_modules()
    linears = [(name, m.out_features) for name, m in head if isinstance(m, nn.Linear)]
    return {**layers, **{HEAD + name: width for name, width in linears[:-1]}}


def input_width(network: Network, layer: str) -> int:
    """How many input channels a layer has that can select some.

    Raises:
        UserError: There is no such layer.
    """
    return in_width(selectable(network, module_name(layer)))


def check(architecture: 'PrunedArchitecture') -> None:
    """Refuse what the base network does not have.

    Raises:
        UserError: It cannot be built, or has no such layer, block or masked parameter, or not
            as many channels or weights.
    """
    kind, network = architecture.backbone.get('type'), unpruned(architecture)
    check_blocks(network, architecture.removed_blocks, BACKBONE)
    known = widths(network)
    for layer, kept in architecture.channels.items():
        if layer not in known:
            raise UserError(f'{kind} has no layer {layer!r}; it has {", ".join(known)}.')
        check_kept(f'layer {layer} would keep', kept, known[layer])
    for layer, kept in architecture.selections.items():
        check_kept(f'layer {layer} would read', kept, input_width(network, layer))
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    for name, count in architecture.masks.get('kept', {}).items():
        if count > sizes.get(name, -1):
            has = f'{sizes[name]} weights in it' if name in sizes else 'no such parameter'
            raise UserError(f'masks keep {count} weights of {name}; {kind} has {has}.')
