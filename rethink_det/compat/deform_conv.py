"""mmcv's deformable convolution on torchvision's operator, with mmcv's calling conventions.

Paper: Dai et al., arXiv 1703.06211, section 2.1. Source: ``mmcv/ops/csrc/pytorch/deform_conv.cpp``
and the kernels behind it. Version 2, with a mask, stands in ``modulated_deform_conv``.

Shapes, the same everywhere: ``input`` (B, C, H, W); ``weight`` (O, C / groups, kH, kW);
``offset`` (B, deform_groups * kH * kW * 2, oH, oW) in input cells, for every group and kernel
position, row by row, first the shift downwards and then that to the right; ``mask``
(B, deform_groups * kH * kW, oH, oW) in the same order, without the pairs; ``output``
(B, O, oH, oW); each gradient has the shape of what it belongs to. Samples between cells are
bilinear, outside of the input there is 0.

Computed in float32 at least, as torchvision itself does under autocast.
"""

import torch
from torch import Tensor
from torchvision import ops  # noqa: F401  (registers torch.ops.torchvision)

from rethink_det.compat.coordinates import marked, replaced, unreadable

Geometry = tuple[int, int, int, int, int, int, int, int]
"""Stride, padding and dilation, each downwards and to the right; groups; deform groups."""


def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    **geometry: int,
) -> None:
    """Deformable convolution, written into ``output``.

    Args:
        input, weight, offset, output: see the module.
        columns, ones: mmcv's working memory; not used.
        **geometry: see `_plain`.

    Raises:
        RuntimeError: shapes do not fit together; torchvision's message says which.
    """
    output.copy_(forward(input, weight, offset, None, None, _plain(**geometry)))


def deform_conv_backward_input(
    input: Tensor,
    offset: Tensor,
    gradOutput: Tensor,
    gradInput: Tensor,
    gradOffset: Tensor,
    weight: Tensor,
    columns: Tensor,
    **geometry: int,
) -> None:
    """Gradients in input and offset, added to ``gradInput`` and ``gradOffset``.

    torchvision computes all gradients at once, so that of the weight is left in ``columns``,
    working memory that mmcv hands to `deform_conv_backward_parameters` next: computing it there
    again would double the time.

    Args:
        gradOutput, input, offset, weight: see the module.
        gradInput, gradOffset: mmcv hands them in as zeros.
        columns: overwritten.
        **geometry: see `_plain`.
    """
    grads = backward(gradOutput, input, weight, offset, None, None, _plain(**geometry))
    gradInput.add_(grads[0])
    gradOffset.add_(grads[2])
    columns.resize_(weight.shape).copy_(grads[1])


def deform_conv_backward_parameters(
    input: Tensor,
    offset: Tensor,
    gradOutput: Tensor,
    gradWeight: Tensor,
    columns: Tensor,
    ones: Tensor,
    *,
    scale: float,
    **geometry: int,
) -> None:
    """Gradient in the weight times ``scale``, added to ``gradWeight``.

    Args:
        gradOutput, input, offset: see the module.
        gradWeight: mmcv hands it in as zeros.
        columns: what `deform_conv_backward_input` left there for the same ``gradOutput``, or
            empty where neither input nor offset needed a gradient.
        ones: mmcv's working memory; not used.
        scale: a factor; mmcv's is 1.
        **geometry: see `_plain`.
    """
    if columns.shape != gradWeight.shape:
        # The weight's values have no part in its own gradient.
        arguments = gradOutput, input, gradWeight, offset, None, None, _plain(**geometry)
        columns = backward(*arguments)[1]
    gradWeight.add_(columns, alpha=scale)


def _plain(
    *,
    kW: int,
    kH: int,
    dW: int,
    dH: int,
    padW: int,
    padH: int,
    dilationW: int,
    dilationH: int,
    group: int,
    deformable_group: int,
    im2col_step: int,
) -> Geometry:
    """mmcv's keywords of version 1 (d: stride) in torchvision's order.

    Kernel sizes are those of the weight. ``im2col_step`` is the images at a time, which
    torchvision chooses itself.
    """
    return dH, dW, padH, padW, dilationH, dilationW, group, deformable_group


def forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    geometry: Geometry,
) -> Tensor:
    """torchvision's convolution, with a mask and a bias or without."""
    lost = unreadable(offset)
    tensors = _prepared(input, weight, replaced(offset, lost), mask, bias)
    found = torch.ops.torchvision.deform_conv2d(*tensors, *geometry, mask is not None)
    return marked(found, lost)


def backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    geometry: Geometry,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of `forward` in input, weight, offset, mask and bias."""
    offset = replaced(offset, unreadable(offset))
    tensors = _prepared(input, weight, offset, mask, bias)
    grad = grad_output.to(tensors[0].dtype)
    use_mask = mask is not None
    return torch.ops.torchvision._deform_conv2d_backward(grad, *tensors, *geometry, use_mask)


def _prepared(
    input: Tensor, weight: Tensor, offset: Tensor, mask: Tensor | None, bias: Tensor | None
) -> list[Tensor]:
    """torchvision's tensors: it wants a mask and a bias even where they are not used."""
    mask = input.new_zeros(len(input), 1) if mask is None else mask
    bias = input.new_zeros(weight.shape[0]) if bias is None else bias
    dtype = torch.promote_types(input.dtype, torch.float32)
    return [tensor.to(dtype) for tensor in (input, weight, offset, mask, bias)]
