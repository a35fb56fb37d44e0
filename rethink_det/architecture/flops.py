"""What a forward pass computes, by the two conventions that the field compares networks by.

Source: ``compute_flops.py`` of arXiv 1810.05270's code, whose ratios gave the published epochs of
Scratch-B.
Deviation: an average over the whole map counts in every network. That code leaves it out where no
module stands for it, behind a VGG and in torchvision's ResNet-50: at most 12 FLOPs of a million.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from rethink_det.architecture import building, validation
from rethink_det.architecture.pruned_architecture import PrunedArchitecture
from rethink_det.errors import UserError

CONV_LINEAR, ALL_LAYERS = CONVENTIONS = ('conv+linear', 'all-layers')
"""Multiply-adds of convolutions and linear layers; or every layer's operations."""

_CONV, _LINEAR = torch.ops.aten.convolution, torch.ops.aten.addmm
_NORM = {
    torch.ops.aten.native_batch_norm,
    torch.ops.aten._native_batch_norm_legit_no_training,
    torch.ops.aten.cudnn_batch_norm,
}
_RELU = {torch.ops.aten.relu, torch.ops.aten.relu_}
_MAX_POOL, _MEAN = torch.ops.aten.max_pool2d_with_indices, torch.ops.aten.mean
_SELECT = torch.ops.aten.index_select


def check_convention(convention: Any) -> str:
    """Refuse what is none of :data:`CONVENTIONS`.

    Raises:
        UserError: It is none.
    """
    if convention not in CONVENTIONS:
        raise UserError(f'flops must be one of {", ".join(CONVENTIONS)}, got {convention!r}.')
    return convention


def flops(architecture: PrunedArchitecture, convention: str = CONV_LINEAR) -> int:
    """FLOPs of one forward pass on one image, two for a multiply-add.

    ``'all-layers'`` adds one for each number that a bias is added to, two for each that a
    BatchNorm of feature maps scales and shifts, one for each that a ReLU gives and that is read,
    and one for each that a max pool, or an average over the whole map, looks at. Additions, other
    activations and BatchNorms of vectors are not counted. Nor are weights that a mask removes.

    Args:
        architecture: What is counted, at its own input shape.
        convention: One of :data:`CONVENTIONS`.

    Raises:
        UserError: An unknown convention.
    """
    check_convention(convention)
    twice = 2 * architecture.cost().macs
    return twice if convention == CONV_LINEAR else twice + _beside_products(architecture)


@torch.no_grad()
def _beside_products(architecture: PrunedArchitecture) -> int:
    network = building.skeleton(architecture).eval()
    shape = validation.input_shape(architecture.input_shape)
    with _Operations() as operations:
        network(torch.zeros(1, *shape, device='meta'))
    return operations.count + sum(read for _, read in operations.activations.values())


class _Operations(TorchDispatchMode):
    """Counts what passes through it beside the products of convolutions and linear layers.

    A selection of channels behind a ReLU stands before it in the networks of arXiv 1708.06519, so
    a ReLU counts with as much of its output as is read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.activations: dict[int, tuple[Tensor, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator and count it."""
        out = func(*args, **(kwargs or {}))
        operator = func.overloadpacket
        self._read(operator, args, out)
        if operator in _RELU:
            self.count += self.activations.pop(id(out), (out, 0))[1]  # one may follow in place
            self.activations[id(out)] = (out, 0)
        else:
            self.count += _operations(operator, args, out)
        return out

    def _read(self, operator: Any, args: Any, out: Any) -> None:
        for tensor in _tensors(args):
            if id(tensor) in self.activations:
                read = out.numel() if operator is _SELECT else tensor.numel()
                before = self.activations[id(tensor)][1]
                self.activations[id(tensor)] = (tensor, max(before, read))


def _tensors(args: Any) -> list[Tensor]:
    """The tensors among an operator's arguments, those in lists too."""
    flat = [item for arg in args for item in (arg if isinstance(arg, (list, tuple)) else [arg])]
    return [item for item in flat if isinstance(item, Tensor)]


def _operations(operator: Any, args: Any, out: Any) -> int:
    if operator is _CONV:
        return out.numel() if args[2] is not None else 0
    if operator is _LINEAR:
        return out.numel()
    if operator in _NORM:
        return 2 * out[0].numel() if out[0].dim() == 4 else 0
    if operator is _MAX_POOL:
        side = args[1]
        return out[0].numel() * side[0] * side[-1]
    return args[0].numel() if operator is _MEAN else 0
