"""Non-maximum suppression, hard and soft, with mmcv's calling conventions.

Source: ``mmcv/ops/csrc/pytorch/nms.cpp`` and the CPU/CUDA kernels behind it. Computed in
float32 at least: torchvision lacks bfloat16 and float16 here on the CPU, and a half-precision
box coordinate above 1024 is off by up to half a pixel.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torchvision import ops


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


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    *,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Soft-NMS: overlap with a kept box lowers a score instead of removing the box.

    Bodla et al., arXiv 1704.04503, section 3, figure 2: keep the best box, lower the scores of
    the others by their overlap with it, drop those below ``min_score``, repeat. As in compiled
    mmcv the best box of all is kept whatever its score, and mmcv hands in CPU tensors, wherever
    the boxes are. In NumPy, whose calls cost a fraction of torch's on arrays this small.

    Args:
        boxes: (N, 4) x1, y1, x2, y2 in pixels.
        scores: (N,).
        dets: (N, 5), overwritten: the first K rows with the kept boxes and their lowered
            scores, in the order they were kept.
        iou_threshold: overlap from which on scores are lowered (``method`` 0 and 1).
        sigma: width of the Gaussian (``method`` 2).
        min_score: a box is dropped once its score is less.
        method: 0, 'naive', the score becomes 0; 1, 'linear', it is multiplied by 1 - IoU;
            2, 'gaussian', by exp(-IoU^2 / sigma).
        offset: 0 or 1; a box is ``x2 - x1 + offset`` wide and ``y2 - y1 + offset`` high.

    Returns:
        Tensor: (K,) int64, the kept indices, best first; among equal scores the first in
        ``scores`` (compiled mmcv: in an order that dropped boxes have changed). Boxes without
        area overlap nothing.
    """
    dtype = torch.promote_types(torch.promote_types(boxes.dtype, scores.dtype), torch.float32)
    low, high = boxes.to(dtype).numpy().T.reshape(2, 2, -1)
    score, rest = scores.to(dtype).numpy(), np.arange(len(scores))
    kept, final = [], []
    while len(rest):
        best = int(score.argmax())
        kept.append(rest[best])
        final.append(score[best])
        iou = overlap(low, high, best, offset)
        score = score * _DECAY[method](iou, iou_threshold, sigma)
        alive = score >= min_score
        alive[best] = False
        rest, score, low, high = rest[alive], score[alive], low[:, alive], high[:, alive]
    indices = torch.tensor(kept, dtype=torch.int64)
    dets[: len(kept), :4] = boxes[indices]
    dets[: len(kept), 4] = torch.tensor(final, dtype=dtype)
    return indices


def overlap(low: np.ndarray, high: np.ndarray, best: int, offset: int) -> np.ndarray:
    """IoU (N,) of box ``best`` with each of N boxes, given as corners (2, N)."""
    first, last = np.maximum(low, low[:, best, None]), np.minimum(high, high[:, best, None])
    width, height = np.maximum(last - first + offset, 0)
    common = width * height
    widths, heights = high - low + offset
    areas = widths * heights
    union = areas + areas[best] - common
    return np.divide(common, union, out=np.zeros_like(union), where=union > 0)


_DECAY: dict[int, Callable[[np.ndarray, float, float], np.ndarray]] = {
    0: lambda iou, threshold, sigma: iou < threshold,
    1: lambda iou, threshold, sigma: np.where(iou < threshold, 1, 1 - iou),
    2: lambda iou, threshold, sigma: np.exp(-(iou * iou) / sigma),
}
"""mmcv's methods: what a score is multiplied by, from IoU, ``iou_threshold`` and ``sigma``."""
