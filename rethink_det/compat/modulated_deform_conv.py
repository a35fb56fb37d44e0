"""mmcv's deformable convolution with a mask, version 2, on torchvision's operator.

Paper: Zhu et al., arXiv 1811.11168, section 3.2. Source:
``mmcv/ops/csrc/pytorch/modulated_deform_conv.cpp`` and the kernels behind it. Shapes and
precision are those of ``deform_conv``.

Offsets and mask may be those of a larger map: DyHead (arXiv 2106.08322) hands a coarser map what
was computed for the finer one. mmcv's kernel then reads, image by image, as many numbers from the
beginning of their memory as its output asks for, and so it is here.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from rethink_det.compat.deform_conv import Geometry, backward, forward


def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    *,
    with_bias: bool,
    **geometry: int,
) -> None:
    """Modulated deformable convolution, written into ``output``.

    Args:
        input, weight, offset, mask, output: see ``deform_conv``.
        bias: (O,), or anything where ``with_bias`` is False.
        columns, ones: mmcv's working memory; not used.
        with_bias: whether ``bias`` is added.
        **geometry: see `_modulated`.

    Raises:
        RuntimeError: shapes do not fit together; torchvision's message says which.
    """
    added = bias if with_bias else None
    size = output.shape[-2:]
    offset, mask = _beginning(offset, size), _beginning(mask, size)
    output.copy_(forward(input, weight, offset, mask, added, _modulated(**geometry)))


def modulated_deform_conv_backward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    columns: Tensor,
    grad_input: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_offset: Tensor,
    grad_mask: Tensor,
    grad_output: Tensor,
    *,
    with_bias: bool,
    **geometry: int,
) -> None:
    """Gradients of `modulated_deform_conv_forward`, added to what mmcv hands in as zeros.

    Args:
        grad_output, input, weight, offset, mask: see ``deform_conv``.
        bias, columns, ones, with_bias: see `modulated_deform_conv_forward`.
        grad_input, grad_weight, grad_offset, grad_mask: added to.
        grad_bias: added to where ``with_bias``.
        **geometry: see `_modulated`.
    """
    size = grad_output.shape[-2:]
    read = _beginning(offset, size), _beginning(mask, size)
    arguments = grad_output, input, weight, *read, bias if with_bias else None
    grads = backward(*arguments, _modulated(**geometry))
    totals = grad_input, grad_weight, grad_offset, grad_mask
    for total, grad in zip(totals, grads[:4], strict=True):
        total.add_(grad if total.shape == grad.shape else _to_the_beginning(grad, total.shape))
    if with_bias:
        grad_bias.add_(grads[4])


def _beginning(values: Tensor, size: torch.Size) -> Tensor:
    """What the kernel reads of a larger map's (B, N, ...): the first numbers of each image.

    A smaller map's are left to torchvision, which refuses them; mmcv reads beyond their end.
    """
    needed = values.shape[1] * size.numel()
    if values.shape[-2:] == size or values[0].numel() < needed:
        return values
    return values.flatten(1)[:, :needed].view(*values.shape[:2], *size)


def _to_the_beginning(values: Tensor, shape: torch.Size) -> Tensor:
    """The inverse of `_beginning`; the numbers that nobody has read get 0."""
    left = shape[1:].numel() - values[0].numel()
    return F.pad(values.flatten(1), (0, left)).view(shape)


def _modulated(
    *,
    kernel_h: int,
    kernel_w: int,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    group: int,
    deformable_group: int,
) -> Geometry:
    """mmcv's keywords of version 2 in torchvision's order; see ``deform_conv._plain``."""
    return stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group, deformable_group
