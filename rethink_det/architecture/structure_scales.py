"""Factors on structures: a layer's output times one number per block, neuron or group.

While such a network trains, the layer that ends a structure has two buffers, the factors and
their momentum, and multiplies its output by the former. :func:`fold_scales` multiplies them
into the weights, which leaves a plain network that computes the same.

Source: arXiv 1707.01213, section 3.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from rethink_det.architecture.blocks import SHORTCUT, last_layer, residual_blocks
from rethink_det.errors import UserError

SCALE, MOMENTUM = 'structure_scale', 'structure_momentum'
"""Names of the two buffers."""

KINDS = ('block', 'neuron', 'group')
MAP_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)
"""BatchNorm of feature maps; the second is what distributed runs may make of the first."""


def structures(model: nn.Module, kind: str) -> dict[str, str]:
    """Which layers bear factors, and for what.

    Args:
        model: A backbone, or a network around one.
        kind: ``'block'``: the last layer of each residual branch. ``'neuron'``: each BatchNorm
            that follows a convolution within a residual branch, so the stream stays whole; in
            a network without residual blocks each BatchNorm that follows a convolution.
            ``'group'``: the BatchNorm that follows a grouped convolution, else the convolution.

    Returns:
        Name of the layer to name of its block, or of its convolution.

    Raises:
        UserError: Unknown kind, or a model without such structures.
    """
    if kind not in KINDS:
        raise UserError(f'structures must be one of {KINDS}, got {kind!r}.')
    names = {module: name for name, module in model.named_modules()}
    blocks = residual_blocks(model)
    if kind == 'block':
        found = {names[last_layer(block)]: name for name, block in blocks.items()}
    elif kind == 'neuron':
        ends = {last_layer(block) for block in blocks.values()}
        parents = blocks.values() or model.modules()
        pairs = (pair for parent in parents for pair in _conv_and_norm(parent))
        found = {names[norm]: names[conv] for conv, norm in pairs if norm not in ends}
    else:
        norms = dict(pair for parent in model.modules() for pair in _conv_and_norm(parent))
        grouped = (m for m in names if isinstance(m, nn.Conv2d) and m.groups > 1)
        found = {names[norms.get(conv, conv)]: names[conv] for conv in grouped}
    if not found:
        raise UserError(f'{type(model).__name__} has no structures of the kind {kind!r}.')
    return found


def _conv_and_norm(parent: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.Module]]:
    """Each convolution and the BatchNorm after it, of those directly in ``parent``."""
    children = (m for name, m in parent.named_children() if name != SHORTCUT)
    layers = [m for m in children if isinstance(m, (nn.Conv2d, *MAP_NORMS))]
    for layer, following in zip(layers, layers[1:], strict=False):
        if not isinstance(layer, nn.Conv2d) or not isinstance(following, MAP_NORMS):
            continue
        if layer.out_channels == following.num_features:
            yield layer, following


def add_scales(model: nn.Module, kind: str) -> None:
    """Give every structure a factor of 1, unless it has one already.

    A factor has the shape ``()`` for a block, ``(channels,)`` for the neurons and ``(groups,)``
    for the groups of a convolution. Blocks and convolutions that are frozen get none.

    Raises:
        UserError: As :func:`structures`, or if all of them are frozen.
    """
    places = structures(model, kind)
    trained = {
        layer: structure
        for layer, structure in places.items()
        if any(p.requires_grad for p in model.get_submodule(structure).parameters())
    }
    if not trained:
        raise UserError(f'All structures of the kind {kind!r} are frozen.')
    for layer, structure in trained.items():
        owner = model.get_submodule(structure)
        counts = {'block': (), 'neuron': ('out_channels',), 'group': ('groups',)}[kind]
        _add(model.get_submodule(layer), tuple(getattr(owner, count) for count in counts))


def _add(layer: nn.Module, shape: tuple[int, ...]) -> None:
    if hasattr(layer, SCALE):
        return
    device = next(layer.parameters()).device
    layer.register_buffer(SCALE, torch.ones(shape, device=device))
    layer.register_buffer(MOMENTUM, torch.zeros(shape, device=device))
    layer.register_forward_hook(_scaled)


def _scaled(layer: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
    """A forward hook; it holds no state, so a copied layer uses the copy's factors."""
    factors = _per_channel(getattr(layer, SCALE), output.shape[1])
    # The product is of the factors' precision: so is the sum that becomes their gradient.
    return (output * factors[:, None, None]).to(output.dtype)


def _per_channel(scale: Tensor, channels: int) -> Tensor:
    """A factor for each output channel; channels of a group are neighbours."""
    return scale.flatten().repeat_interleave(channels // scale.numel())


def scaled_layers(model: nn.Module) -> dict[str, nn.Module]:
    """The layers that bear factors, by name."""
    return {name: m for name, m in model.named_modules() if SCALE in m._buffers}


def fold_scales(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Multiply the factors into the weights they belong to.

    Args:
        state: State dict of a network with factors; left as it is.

    Returns:
        The state dict of the plain network that computes the same, and the factors by the name
        of their layer.

    Raises:
        UserError: There is a factor without the weight that it multiplies.
    """
    scales = {n.removesuffix(f'.{SCALE}'): t for n, t in state.items() if n.endswith(f'.{SCALE}')}
    folded = {n: t for n, t in state.items() if not n.endswith((f'.{SCALE}', f'.{MOMENTUM}'))}
    for layer, scale in scales.items():
        if f'{layer}.weight' not in folded:
            raise UserError(f'The checkpoint scales {layer}, but has no {layer}.weight.')
        for name in (f'{layer}.weight', f'{layer}.bias'):
            if name in folded:
                folded[name] = _times(folded[name], scale)
    return folded, scales


def _times(tensor: Tensor, scale: Tensor) -> Tensor:
    factors = _per_channel(scale.to(tensor.dtype), len(tensor))
    return tensor * factors.reshape(-1, *[1] * (tensor.dim() - 1))
