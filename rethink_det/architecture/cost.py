"""What a network costs: parameters and multiply-adds, by torch's own flop counter."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rethink_det.architecture import building, validation
from rethink_det.errors import UserError

if TYPE_CHECKING:
    from rethink_det.architecture.pruned_architecture import PrunedArchitecture

_CONV = {torch.ops.aten.convolution, torch.ops.aten._convolution}
_LINEAR = {torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.bmm, torch.ops.aten.baddbmm}


@dataclass(frozen=True)
class Cost:
    """Cost of one forward pass on one image.

    A MAC is one multiply-add of a convolution or a linear layer (FLOPs / 2). Biases,
    BatchNorm, activations and pooling are not counted, nor are weights that a mask removes.

    Attributes:
        params: Number of parameters, buffers excluded.
        macs: Multiply-adds, convolutions and linear layers.
        macs_conv: Those of convolutions.
        macs_linear: Those of linear layers.
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
    return count(building.skeleton(architecture), shape, architecture.masks.get('kept'))


def masked(architecture: 'PrunedArchitecture') -> dict[str, tuple[int, int]]:
    """Weights kept and weights in all of every parameter under a mask, by its name."""
    if not architecture.masks:
        return {}
    sizes = {n: p.numel() for n, p in building.skeleton(architecture).named_parameters()}
    return {name: (kept, sizes[name]) for name, kept in architecture.masks['kept'].items()}


@torch.no_grad()
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
    model.eval()
    weight = next(model.parameters())
    with FlopCounterMode(display=False) as counter:
        images = torch.zeros(1, *input_shape, device=weight.device, dtype=weight.dtype)
        try:
            model(images)
        except RuntimeError as error:
            kind, shape = type(model).__name__, tuple(input_shape)
            raise UserError(f'{kind} cannot run on an input of {shape}: {error}') from error
    flops = counter.get_flop_counts()
    params = sum(p.numel() for p in model.parameters())
    conv, linear = _macs(flops.get('Global', {}))
    for name, left in (kept or {}).items():
        layer, size = name.rpartition('.')[0], model.get_parameter(name).numel()
        layer_conv, layer_linear = _macs(flops[f'{type(model).__name__}.{layer}'])
        params -= size - left
        conv -= layer_conv * (size - left) // size
        linear -= layer_linear * (size - left) // size
    channels, height, width = input_shape
    return Cost(params, conv + linear, conv, linear, (channels, height, width))


def _macs(flops: Mapping) -> tuple[int, int]:
    """Multiply-adds of convolutions and of linear layers, by operator."""
    conv = sum(count for op, count in flops.items() if op in _CONV) // 2
    linear = sum(count for op, count in flops.items() if op in _LINEAR) // 2
    return conv, linear
