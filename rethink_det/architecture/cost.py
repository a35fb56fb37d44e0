"""What a network costs: parameters and multiply-adds, by torch's own flop counter."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

_CONV = {torch.ops.aten.convolution, torch.ops.aten._convolution}
_LINEAR = {torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.bmm, torch.ops.aten.baddbmm}


@dataclass(frozen=True)
class Cost:
    """Cost of one forward pass on one image.

    A MAC is one multiply-add of a convolution or a linear layer (FLOPs / 2). Biases,
    BatchNorm, activations and pooling are not counted.

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

    def as_dict(self) -> dict:
        """The fields as plain values, for JSON."""
        return {**asdict(self), 'input_shape': list(self.input_shape)}


@torch.no_grad()
def count(model: nn.Module, input_shape: Sequence[int]) -> Cost:
    """Count ``model`` at ``input_shape``. The model is left in evaluation mode."""
    model.eval()
    weight = next(model.parameters())
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, *input_shape, device=weight.device, dtype=weight.dtype))
    by_operator = counter.get_flop_counts().get('Global', {})
    conv = sum(flops for op, flops in by_operator.items() if op in _CONV) // 2
    linear = sum(flops for op, flops in by_operator.items() if op in _LINEAR) // 2
    params = sum(p.numel() for p in model.parameters())
    return Cost(params, conv + linear, conv, linear, tuple(input_shape))
