"""mmcv's RoIAlign on torchvision's operator, with mmcv's calling conventions.

Source: ``mmcv/ops/csrc/pytorch/roi_align.cpp`` and the CPU/CUDA kernels behind it. Computed in
float32 at least: torchvision lacks bfloat16 on the CPU, and a half-precision box coordinate
above 1024 is off by up to half a pixel.
"""

import torch
from torch import Tensor
from torchvision import ops  # noqa: F401  (registers torch.ops.torchvision)

from rethink_det.compat.coordinates import marked, replaced, unreadable
from rethink_det.compat.missing import missing_operator

_MAX_POOLING = 0  # mmcv's pool_mode: 0 max, 1 average


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """RoIAlign with average pooling, written into ``output``.

    Args:
        input: (B, C, H, W) feature maps.
        rois: (K, 5) batch index, x1, y1, x2, y2; the coordinates in units of
            ``1 / spatial_scale`` feature-map cells.
        output: (K, C, aligned_height, aligned_width), overwritten.
        argmax_y: of max pooling; not used.
        argmax_x: of max pooling; not used.
        aligned_height: bins per roi, downwards.
        aligned_width: bins per roi, to the right.
        spatial_scale: feature-map cells per roi unit.
        sampling_ratio: samples per bin and direction; 0: as many as a bin has cells,
            rounded up.
        pool_mode: 1, average.
        aligned: True: cell centres lie at half-integer coordinates. False: at integer ones,
            and a roi is at least one cell wide and high (mmdet 1.x).

    Raises:
        UserError: ``pool_mode`` is 0, max pooling, which torchvision lacks.
    """
    _refuse_max_pooling(pool_mode, 'roi_align_forward')
    dtype = torch.promote_types(input.dtype, torch.float32)
    lost = unreadable(rois, endless=True)  # a box without end has no places in it either
    pooled = torch.ops.torchvision.roi_align(
        input.to(dtype),
        replaced(rois, lost).to(dtype),
        spatial_scale,
        aligned_height,
        aligned_width,
        sampling_ratio,
        aligned,
    )
    output.copy_(marked(pooled, None if lost is None else lost[..., None, None]))


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Gradient of `roi_align_forward` in ``input``, added to ``grad_input``.

    On CUDA the sum's order is not fixed; under ``torch.use_deterministic_algorithms(True)``
    torchvision's kernel therefore raises a RuntimeError that says so.

    Args:
        grad_output: (K, C, aligned_height, aligned_width).
        grad_input: (B, C, H, W); mmcv hands it in as zeros.
        rois, argmax_y, argmax_x, aligned_height, aligned_width, spatial_scale,
            sampling_ratio, pool_mode, aligned: see `roi_align_forward`.

    Raises:
        UserError: ``pool_mode`` is 0, max pooling, which torchvision lacks.
    """
    _refuse_max_pooling(pool_mode, 'roi_align_backward')
    dtype = torch.promote_types(grad_output.dtype, torch.float32)
    gradient = torch.ops.torchvision._roi_align_backward(
        grad_output.to(dtype),
        replaced(rois, unreadable(rois, endless=True)).to(dtype),
        spatial_scale,
        aligned_height,
        aligned_width,
        *grad_input.shape,
        sampling_ratio,
        aligned,
    )
    grad_input.add_(gradient)


def _refuse_max_pooling(pool_mode: int, operator: str) -> None:
    if pool_mode == _MAX_POOLING:
        raise missing_operator(f"{operator} with pool_mode='max'")
