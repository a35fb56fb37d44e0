"""mmcv's CARAFE in plain torch, with mmcv's calling conventions.

Paper: Wang et al., "CARAFE: Content-Aware ReAssembly of FEatures", arXiv 1905.02188, equation 4.
Source: ``mmcv/ops/csrc/common/cuda/carafe_naive_cuda_kernel.cuh``; compiled mmcv has it on GPUs
only, in two ways that compute the same. In float32 at least.

Shapes, the same everywhere: ``features`` (B, C, H, W); ``masks`` (B, groups * k * k, s * H, s * W),
of each group of channels the kernel for every place of the output, row by row; ``output``
(B, C, s * H, s * W). What a kernel reads outside of the map is 0.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F


def carafe_naive_forward(
    features: Tensor,
    masks: Tensor,
    output: Tensor,
    *,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Every place of ``output`` is a weighted sum of the features around the one it lies in.

    Args:
        features: see the module.
        masks: see the module.
        output: overwritten.
        kernel_size: k, odd.
        group_size: groups of channels that have a kernel of their own.
        scale_factor: s.
    """
    geometry = kernel_size, group_size, scale_factor
    total = torch.zeros_like(output, dtype=_precise(features))
    split = _split(total, group_size, scale_factor)
    for read, weights in _positions(features, masks, *geometry):
        split += read * weights
    output.copy_(total)


def carafe_naive_backward(
    grad_output: Tensor,
    features: Tensor,
    masks: Tensor,
    grad_input: Tensor,
    grad_masks: Tensor,
    *,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Gradients of `carafe_naive_forward`, added to what mmcv hands in as zeros.

    Args:
        grad_output: of the output's shape.
        features: see the module.
        masks: see the module.
        grad_input: of the features' shape, added to.
        grad_masks: of the masks' shape, added to.
        kernel_size: k.
        group_size: groups.
        scale_factor: s.
    """
    geometry = kernel_size, group_size, scale_factor
    grad = _split(grad_output.to(_precise(features)), group_size, scale_factor)
    padded = torch.zeros_like(_padded(features, kernel_size))
    parts = []
    for number, (read, weights) in enumerate(_positions(features, masks, *geometry)):
        window = _window(padded, number, kernel_size)
        window += (grad * weights).sum((-1, -3)).view(window.shape)
        parts.append((grad * read).sum(2))
    edge = kernel_size // 2
    inner = slice(edge, -edge or None)
    grad_input.add_(padded[..., inner, inner])
    grad_masks.add_(torch.stack(parts, 2).view(masks.shape))


def carafe_forward(
    features: Tensor,
    masks: Tensor,
    rfeatures: Tensor,
    routput: Tensor,
    rmasks: Tensor,
    output: Tensor,
    **geometry: int,
) -> None:
    """`carafe_naive_forward` as mmcv's other way to compute it is called.

    Args:
        features: see the module.
        masks: see the module.
        rfeatures: overwritten with the features: what mmcv keeps for `carafe_backward`.
        routput: mmcv's working memory; not used.
        rmasks: not used either.
        output: overwritten.
        **geometry: see `carafe_naive_forward`.
    """
    rfeatures.copy_(features)
    carafe_naive_forward(features, masks, output, **geometry)


def carafe_backward(
    grad_output: Tensor,
    rfeatures: Tensor,
    masks: Tensor,
    rgrad_output: Tensor,
    rgrad_input_hs: Tensor,
    rgrad_input: Tensor,
    rgrad_masks: Tensor,
    grad_input: Tensor,
    grad_masks: Tensor,
    **geometry: int,
) -> None:
    """`carafe_naive_backward` as mmcv's other way to compute it is called.

    Args:
        grad_output: of the output's shape.
        rfeatures: what `carafe_forward` left there.
        masks: see the module.
        rgrad_output: mmcv's working memory; not used.
        rgrad_input_hs: not used.
        rgrad_input: not used.
        rgrad_masks: not used.
        grad_input: added to.
        grad_masks: added to.
        **geometry: see `carafe_naive_forward`.
    """
    carafe_naive_backward(grad_output, rfeatures, masks, grad_input, grad_masks, **geometry)


def _positions(
    features: Tensor, masks: Tensor, kernel_size: int, groups: int, scale: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each position of the kernel what is read there and its weights, ready to multiply.

    One position at a time: all of them together would take ``k * k`` times the features' memory.
    """
    padded = _padded(features, kernel_size)
    images, channels, height, width = features.shape
    weights = masks.to(_precise(features)).view(
        images, groups, kernel_size**2, 1, height, scale, width, scale
    )
    for number in range(kernel_size**2):
        window = _window(padded, number, kernel_size)
        read = window.reshape(images, groups, channels // groups, height, 1, width, 1)
        yield read, weights[:, :, number]


def _padded(features: Tensor, kernel_size: int) -> Tensor:
    return F.pad(features.to(_precise(features)), (kernel_size // 2,) * 4)


def _window(padded: Tensor, number: int, kernel_size: int) -> Tensor:
    """The part of the padded map that a position of the kernel reads, of the map's size."""
    down, right = divmod(number, kernel_size)
    height, width = (side - kernel_size + 1 for side in padded.shape[-2:])
    return padded[..., down : down + height, right : right + width]


def _split(output: Tensor, groups: int, scale: int) -> Tensor:
    """A view (B, groups, C / groups, H, s, W, s) of an output."""
    images, channels, height, width = output.shape
    sizes = height // scale, scale, width // scale, scale
    return output.view(images, groups, channels // groups, *sizes)


def _precise(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)
