"""mmcv's NMS and RoIAlign on torchvision's operators, with mmcv's calling conventions.

Loaded as ``mmcv._ext`` by `rethink_det.compat.finder`; call them through ``mmcv.ops``.
Source: ``mmcv/ops/csrc/pytorch/{nms,roi_align}.cpp`` and the CPU/CUDA kernels behind them
(mmcv 2.1.0 and onedl-mmcv 2.3.6 agree).

Numbers are computed in float32 at least: torchvision lacks bfloat16 (and NMS also float16)
on the CPU, and a half-precision box coordinate above 1024 is off by up to half a pixel.
"""

import torch
from torch import Tensor
from torchvision import ops  # registers torch.ops.torchvision

from rethink_det.compat.missing import missing_operator

__all__ = [
    'get_compiler_version',
    'get_compiling_cuda_version',
    'nms',
    'roi_align_backward',
    'roi_align_forward',
]

_MAX_POOLING = 0  # mmcv's pool_mode: 0 max, 1 average


def get_compiler_version() -> str:
    """``'n/a'``, what ``mmcv.utils.collect_env`` prints when nothing was compiled."""
    return 'n/a'


def get_compiling_cuda_version() -> str:
    """``'n/a'``, see `get_compiler_version`."""
    return 'n/a'


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Greedy non-maximum suppression.

    Args:
        boxes: (N, 4) x1, y1, x2, y2 in pixels.
        scores: (N,).
        iou_threshold: a box is dropped if its IoU with a kept, higher-scoring one is
            *greater* than this.
        offset: 0 or 1; a box is ``x2 - x1 + offset`` wide and ``y2 - y1 + offset`` high.

    Returns:
        Tensor: (K,) int64, the kept indices by falling score; equal scores keep their order.
    """
    dtype = torch.promote_types(torch.promote_types(boxes.dtype, scores.dtype), torch.float32)
    if offset:
        # min(a, b) + 1 = min(a + 1, b + 1): moving x2 and y2 gives mmcv's widths,
        # intersections and IoUs. In float32 the +1 may round (batched NMS moves boxes to
        # coordinates of 1e5 and more); in float64 it is exact.
        dtype = torch.float64
        boxes = boxes.to(dtype) + boxes.new_tensor([0, 0, offset, offset], dtype=dtype)
    # mmcv's threshold has the precision of the IoU it is compared with. torchvision keeps a
    # double, and 0.6 in float32 is greater than 0.6 in float64.
    threshold = torch.tensor(iou_threshold, dtype=dtype).item()
    return ops.nms(boxes.to(dtype), scores.to(dtype), threshold)


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
    pooled = torch.ops.torchvision.roi_align(
        input.to(dtype),
        rois.to(dtype),
        spatial_scale,
        aligned_height,
        aligned_width,
        sampling_ratio,
        aligned,
    )
    output.copy_(pooled)


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
        rois.to(dtype),
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
