"""What a network costs: parameters and multiply-adds, by torch's own flop counter."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from rethink_det.architecture import building, composing, validation
from rethink_det.architecture.tracing import apart, no_gradients, one_image_will_do
from rethink_det.errors import UserError
from rethink_det.registered import Kind

if TYPE_CHECKING:
    from rethink_det.architecture.pruned_architecture import PrunedArchitecture

_CONV = {torch.ops.aten.convolution, torch.ops.aten._convolution}
_LINEAR = {torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.bmm, torch.ops.aten.baddbmm}


@dataclass(frozen=True)
class Cost:
    """Cost of one forward pass on one image.

    A MAC is one multiply-add of a convolution (a deformable one, too), a linear layer or another
    product of matrices (FLOPs / 2). Biases, BatchNorm, activations, pooling and sampling are not
    counted, nor are weights that a mask removes.

    Attributes:
        params: Number of parameters, buffers excluded.
        macs: Multiply-adds, convolutions and products of matrices.
        macs_conv: Those of convolutions.
        macs_linear: Those of linear layers, and of attention.
        input_shape: ``(channels, height, width)`` counted at.
    """

    params: int
    macs: int
    macs_conv: int
    macs_linear: int
    input_shape: tuple[int, int, int]

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values, for JSON."""
        return {**asdict(self), 'input_shape': list(self.input_shape)}


def cost_of(architecture: 'PrunedArchitecture', input_shape: Sequence[int] | None = None) -> Cost:
    """Parameters and MACs of the classification network, backbone and head.

    Weights that a mask removes are counted neither as parameters nor as MACs; the indices of
    selections and the masks themselves are no parameters.

    Args:
        architecture: What is counted.
        input_shape: ``(channels, height, width)``; default: the architecture's own.

    Raises:
        UserError: No such shape, or the network cannot run on it.
    """
    shape = validation.input_shape(input_shape or architecture.input_shape)
    widths, kinds = composing.without_indices(architecture), building.kinds_of(architecture)
    return _cost_of(_Counted(widths, kinds, architecture), shape)


@dataclass(frozen=True)
class _Counted:
    """What the count of a network follows from; which channels are kept is none of it."""

    widths: 'PrunedArchitecture'
    kinds: tuple[Kind | None, ...]
    architecture: 'PrunedArchitecture' = field(compare=False)


@lru_cache(maxsize=256)
def _cost_of(counted: _Counted, shape: tuple[int, int, int]) -> Cost:
    """The runs of a study ask for the same shapes again and again."""
    network = building.skeleton(counted.architecture)
    return count(network, shape, counted.architecture.masks.get('kept'))


def masked(architecture: 'PrunedArchitecture') -> dict[str, tuple[int, int]]:
    """Weights kept and weights in all of every parameter under a mask, by its name."""
    if not architecture.masks:
        return {}
    sizes = {n: p.numel() for n, p in building.skeleton(architecture).named_parameters()}
    return {name: (kept, sizes[name]) for name, kept in architecture.masks['kept'].items()}


def count(
    model: nn.Module, input_shape: Sequence[int], kept: Mapping[str, int] | None = None
) -> Cost:
    """Count ``model`` at ``input_shape``. The model is left in evaluation mode.

    Args:
        model: Any network; on the meta device it costs no memory.
        input_shape: ``(channels, height, width)``.
        kept: Of a parameter under a weight mask, how many weights are left. Removed weights
            count neither as parameters nor as multiply-adds.

    Raises:
        UserError: The network cannot run on such an input.
    """
    return count_parts(model, input_shape, kept)[WHOLE]


WHOLE = ''
"""Name of a network as a part of itself, as :meth:`torch.nn.Module.get_submodule` has it."""


@torch.no_grad()
def count_parts(
    model: nn.Module,
    input_shape: Sequence[int],
    kept: Mapping[str, int] | None = None,
    parts: Iterable[str] = (WHOLE,),
) -> dict[str, Cost]:
    """What parts of ``model`` have in its cost, while the whole of it looks at one image.

    Args:
        model: As of :func:`count`.
        input_shape: Of the image.
        kept: As of :func:`count`.
        parts: Names of submodules.

    Returns:
        By part its parameters and multiply-adds; ``input_shape`` is that of the whole.

    Raises:
        UserError: The network cannot run on such an input.
    """
    model.eval()
    flops = _flops(model, input_shape)
    return {part: _of_part(model, part, flops, kept or {}, input_shape) for part in parts}


Flops: TypeAlias = Mapping[str, Mapping[Any, int]]
"""By module the count of each operator; ``'Global'`` is all of them."""


def _flops(model: nn.Module, input_shape: Sequence[int]) -> Flops:
    weight = next(model.parameters())
    images = torch.zeros(1, *input_shape, device=weight.device, dtype=weight.dtype)
    with _unfused(model), FlopCounterMode(display=False, custom_mapping=_formulas()) as counter:
        try:
            with one_image_will_do(model), no_gradients(model):
                model(images)
        except RuntimeError as error:
            kind, shape = type(model).__name__, tuple(input_shape)
            raise UserError(f'{kind} cannot run on an input of {shape}: {error}') from error
    return counter.get_flop_counts()


@contextmanager
def _unfused(model: nn.Module) -> Iterator[None]:
    """Attention and recurrent layers as the products that they consist of.

    The counter knows few kernels for the former, and none for the latter.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), apart(model):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _formulas() -> dict[Any, Callable[..., int]]:
    """What torch itself has no formula for."""
    return dict.fromkeys(_deformed(), _deformed_flops)


def _deformed() -> set[Any]:
    """torchvision's operator; who has not loaded it does not call it."""
    name = 'deform_conv2d'
    return {getattr(torch.ops.torchvision, name)} if hasattr(torch.ops.torchvision, name) else set()


def _deformed_flops(_images: Any, weight: Any, *_: Any, out_shape: Any, **__: Any) -> int:
    """Those of a convolution: finding the places that it reads is not counted."""
    return 2 * prod(out_shape) * prod(weight[1:])


def _of_part(
    model: nn.Module,
    part: str,
    flops: Flops,
    kept: Mapping[str, int],
    input_shape: Sequence[int],
) -> Cost:
    """Its cost, less what a mask removes from it."""
    module, root = model.get_submodule(part), type(model).__name__
    params = sum(p.numel() for p in module.parameters())
    conv, linear = _macs_of(module, f'{root}.{part}' if part else 'Global', flops)
    for name, left in kept.items():
        if part and not name.startswith(f'{part}.'):
            continue
        layer, size = name.rpartition('.')[0], model.get_parameter(name).numel()
        layer_conv, layer_linear = _macs(flops.get(f'{root}.{layer}', {}))
        params -= size - left
        conv -= layer_conv * (size - left) // size
        linear -= layer_linear * (size - left) // size
    channels, height, width = input_shape
    return Cost(params, conv + linear, conv, linear, (channels, height, width))


def _macs_of(module: nn.Module, name: str, flops: Flops) -> tuple[int, int]:
    """Multiply-adds of a module, or of what is in one that is a list of others."""
    if name in flops:
        return _macs(flops[name])
    inner = [_macs_of(child, f'{name}.{key}', flops) for key, child in module.named_children()]
    return sum(conv for conv, _ in inner), sum(linear for _, linear in inner)


def _macs(flops: Mapping[Any, int]) -> tuple[int, int]:
    """Multiply-adds of convolutions and of linear layers, by operator."""
    conv = sum(count for op, count in flops.items() if op in _CONV | _deformed()) // 2
    linear = sum(count for op, count in flops.items() if op in _LINEAR) // 2
    return conv, linear
