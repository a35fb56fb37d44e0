"""mmcv's deformable attention on GPUs, in plain torch; on CPUs mmcv itself does it so.

Paper: Zhu et al., "Deformable DETR", arXiv 2010.04159, equation 3. In float32 at least.

Shapes, the same everywhere: ``value`` (B, S, heads, D), the cells of L feature maps one after
another; ``value_spatial_shapes`` (L, 2) height and width of each; ``sampling_locations``
(B, Q, heads, L, P, 2) x and y, 0 to 1 from edge to edge of a map; ``attention_weights``
(B, Q, heads, L, P). Samples are bilinear, outside of a map there is 0.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def ms_deform_attn_forward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    *,
    im2col_step: int,
) -> Tensor:
    """The weighted sum of P samples in each of L maps, for every query and head.

    Args:
        value: see the module.
        value_spatial_shapes: see the module.
        value_level_start_index: (L,) first cell of each map; follows from the shapes.
        sampling_locations: see the module.
        attention_weights: see the module.
        im2col_step: images at a time; not used.

    Returns:
        Tensor: (B, Q, heads * D).
    """
    found = _attention(value, value_spatial_shapes, sampling_locations, attention_weights)
    return found.to(value.dtype)


def ms_deform_attn_backward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    *,
    im2col_step: int,
) -> None:
    """Gradients of `ms_deform_attn_forward`, added to what mmcv hands in as zeros.

    Args:
        value: see the module.
        value_spatial_shapes: see the module.
        value_level_start_index: not used.
        sampling_locations: see the module.
        attention_weights: see the module.
        grad_output: (B, Q, heads * D).
        grad_value: added to.
        grad_sampling_loc: added to.
        grad_attn_weight: added to.
        im2col_step: not used.
    """
    with torch.enable_grad():
        given = [t.detach().requires_grad_() for t in (value, sampling_locations)]
        given.append(attention_weights.detach().requires_grad_())
        found = _attention(given[0], value_spatial_shapes, given[1], given[2])
        grads = torch.autograd.grad(found, given, grad_output.to(found.dtype))
    for total, grad in zip((grad_value, grad_sampling_loc, grad_attn_weight), grads, strict=True):
        total.add_(grad)


def _attention(value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    dtype = torch.promote_types(value.dtype, torch.float32)
    images, _, heads, width = value.shape
    sizes = [(int(height), int(width)) for height, width in shapes]
    levels = value.to(dtype).split([height * width for height, width in sizes], 1)
    grids = 2 * locations.to(dtype).transpose(1, 2).flatten(0, 1) - 1  # (B * heads, Q, L, P, 2)
    sampled = [
        F.grid_sample(
            level.permute(0, 2, 3, 1).reshape(images * heads, width, *size),
            grids[:, :, number],
            padding_mode='zeros',
            align_corners=False,
        )
        for number, (level, size) in enumerate(zip(levels, sizes, strict=True))
    ]
    shares = weights.to(dtype).transpose(1, 2).flatten(0, 1)  # (B * heads, Q, L, P)
    found = torch.einsum('ndqlp,nqlp->nqd', torch.stack(sampled, 3), shares)
    queries = found.view(images, heads, -1, width).transpose(1, 2)
    return queries.flatten(2)
