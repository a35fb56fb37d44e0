"""What was kept of a network, read off the shapes of its tensors.

A layer's output channels are the rows of its weight; how many it kept is certain, which of the
parent's they were is not written anywhere. A residual block whose tensors are missing lost its
residual branch.
"""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.blocks import residual_blocks
from rethink_det.architecture.network import BACKBONE
from rethink_det.architecture.surgery import Surgeon, is_grouped, width_of
from rethink_det.convert.known_networks import shapes_of
from rethink_det.convert.tensor_names import COUNTER, layer_of, weight_of
from rethink_det.errors import UserError


def infer(
    parent: PrunedArchitecture,
    state: Mapping[str, Tensor],
    selections: Mapping[str, tuple[int, ...]] | None = None,
) -> PrunedArchitecture:
    """The architecture of a cut network: channels as counts, and removed blocks.

    It is one of free layers if the shapes are of such a one, else one of coupled groups.

    Args:
        parent: What the network was before.
        state: Its tensors, under the names of :class:`~rethink_det.architecture.network.Network`.
        selections: By layer which of its inputs it reads, where that is known.

    Raises:
        UserError: The shapes are those of no network that could be cut from ``parent``; names
            the tensor and says why.
    """
    shape = replace(parent, removed_blocks=_removed_blocks(parent, state), name='', source='')
    surgeon = Surgeon(shape.skeleton(), parent.input_shape, BACKBONE)
    try:
        return _free(shape, state, selections or {}, surgeon)
    except UserError as error:
        if selections:
            raise
        coupled = _coupled(shape, state, surgeon)
        if isinstance(coupled, UserError):
            raise UserError(f'{error} As coupled groups: {coupled}') from error
        return coupled


def _free(
    shape: PrunedArchitecture,
    state: Mapping[str, Tensor],
    selections: Mapping[str, tuple[int, ...]],
    surgeon: Surgeon,
) -> PrunedArchitecture:
    channels = {
        layer: len(state[weight_of(layer)])
        for layer in [*surgeon.layers(), *surgeon.units()]
        if _is_narrower(surgeon, layer, state)
    }
    architecture = replace(shape, channels=channels, selections=selections)
    _check_shapes(architecture, state, surgeon)
    return architecture


def _coupled(
    shape: PrunedArchitecture, state: Mapping[str, Tensor], surgeon: Surgeon
) -> PrunedArchitecture | UserError:
    """The same of coupled groups, or why it is none."""
    kept = {name: len(state[weight_of(name)]) for name in surgeon.producers()}
    channels = {n: count for n, count in kept.items() if count != width_of(surgeon.producer(n))}
    try:
        architecture = replace(shape, channels=channels, coupled=True)
        _check_shapes(architecture, state, surgeon)
    except UserError as error:
        return error
    return architecture


# -- blocks --------------------------------------------------------------------------------


def _removed_blocks(parent: PrunedArchitecture, state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Blocks of which tensors are missing, if without their residual branches none is."""
    names = [name for name in shapes_of(parent) if not name.endswith(COUNTER)]
    missing = [name for name in names if name not in state]
    blocks = residual_blocks(parent.skeleton())
    gone = [b for b in blocks if any(name.startswith(f'{b}.') for name in missing)]
    left = replace(parent, removed_blocks=tuple(b.removeprefix(BACKBONE) for b in gone))
    needed = shapes_of(left)
    lacking = next((n for n in needed if n not in state and not n.endswith(COUNTER)), None)
    if lacking:
        raise UserError(
            f'{_plain(lacking)} is missing ({len(missing)} of {len(names)} tensors are): this is '
            f'another network than {_called(parent)}, or a part of one.'
        )
    stranger = next((name for name in state if name not in needed), None)
    if stranger is None:
        return left.removed_blocks
    block = next((b for b in gone if stranger.startswith(f'{b}.')), None)
    if block is None:
        raise UserError(f'{_called(parent)} has no tensor {_plain(stranger)}: another --base?')
    first = next(name for name in missing if name.startswith(f'{block}.'))
    raise UserError(
        f'{_plain(first)} is missing while {_plain(stranger)} is there: the residual branch '
        f'of block {_plain(block)} can only go as a whole.'
    )


# -- channels ------------------------------------------------------------------------------


def _is_narrower(surgeon: Surgeon, name: str, state: Mapping[str, Tensor]) -> bool:
    """Whether a layer lost channels by itself; what cannot have happened is refused."""
    layer, weight = surgeon.layer(name), state[weight_of(name)]
    if weight.dim() != layer.weight.dim() or not len(weight):
        raise UserError(f'{name}.weight is {tuple(weight.shape)}: no weight of such a layer.')
    kept, width = len(weight), len(layer.weight)
    if kept > width:
        raise UserError(f'{name} has {kept} channels, the base only {width}: another --base?')
    if kept == width or _feeds_groups(surgeon, name):
        return False
    group = surgeon.group(name)
    if group.obstacle:
        raise UserError(
            f'{name} has {kept} of {width} channels, but it cannot be pruned: {group.obstacle}.'
        )
    if isinstance(layer, nn.Conv2d) and is_grouped(layer):
        _check_groups(name, layer, weight)
    other = next((m for m in group.members if len(state[weight_of(m)]) != kept), None)
    if other:
        raise UserError(
            f'{name} has {kept} channels and {other} has {len(state[weight_of(other)])}: they '
            'are added to one another and must keep the same.'
        )
    return True


def _feeds_groups(surgeon: Surgeon, name: str) -> bool:
    """Whether a grouped convolution reads the layer: it decides which channels go."""
    consumers = (item.dep.target.module for item in surgeon.tied_group(name).items[1:])
    return any(is_grouped(m) and m is not surgeon.layer(name) for m in consumers)


def _check_groups(name: str, layer: nn.Conv2d, weight: Tensor) -> None:
    reads, run = layer.weight.shape[1], layer.out_channels // layer.groups
    if weight.shape[1] != reads or len(weight) % run:
        raise UserError(
            f'{name} is a grouped convolution and was cut within its groups (each reads '
            f'{weight.shape[1]} channels, {reads} in the base): only whole groups can go, '
            f'{run} channels each.'
        )


# -- everything else -----------------------------------------------------------------------


def _check_shapes(
    architecture: PrunedArchitecture, state: Mapping[str, Tensor], surgeon: Surgeon
) -> None:
    """Refuse tensors that contradict the channels; what a layer reads is explained."""
    for name, shape in shapes_of(architecture).items():
        has = tuple(state[name].shape) if name in state else shape
        if has == shape:
            continue
        layer = layer_of(name)
        layers = [*surgeon.layers(), *surgeon.units(), 'head.fc']
        if len(has) > 1 and has[1] != shape[1] and has[2:] == shape[2:] and layer in layers:
            raise UserError(_reads(layer, has[1], shape[1], surgeon))
        raise UserError(f'{_plain(name)} is {has}, and should be {shape} by the other tensors.')


def _reads(layer: str, has: int, wants: int, surgeon: Surgeon) -> str:
    names = [*surgeon.layers(), *surgeon.units()]
    makers = [n for n in names if any(r.name == layer for r in surgeon.consumers(n))][:3]
    text = f'{layer} reads {has} channels, but {" + ".join(makers) or "the image"} makes {wants}'
    if has > wants:
        return f'{text}: the widths contradict each other.'
    return (
        f'{text}. Either the widths contradict each other, or it reads a selection of them, and '
        'the weights do not say which: give an architecture with its "selections" as --base.'
    )


def _plain(name: str) -> str:
    return name.removeprefix(BACKBONE)


def _called(parent: PrunedArchitecture) -> str:
    return parent.name or str(dict(parent.backbone))
