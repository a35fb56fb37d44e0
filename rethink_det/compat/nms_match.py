"""Groups of boxes by non-maximum suppression, with mmcv's calling conventions.

Source: ``nms_match_cpu`` in ``mmcv/ops/csrc/pytorch/cpu/nms.cpp``. PISA (arXiv 1904.04821,
section 4.1) ranks the boxes of a group by it.
"""

import numpy as np
from torch import Tensor

from rethink_det.compat.suppression import overlap


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """The boxes that each box kept by NMS suppresses.

    Unlike NMS, a box whose IoU with a kept one is just the threshold goes as well.

    Args:
        dets: (N, 5) x1, y1, x2, y2 in pixels and the score, on the CPU; mmcv sees to that.
        iou_threshold: IoU from which on a box is suppressed.

    Returns:
        Indices of a group each, by falling score: first the box that is kept. The groups by the
        scores of these; equal scores keep their order.
    """
    values = dets.float().numpy()
    low, high = values[:, :4].T.reshape(2, 2, -1)
    rest = np.argsort(-values[:, 4], kind='stable')
    groups = []
    while len(rest):
        of_best = overlap(low[:, rest], high[:, rest], 0, 0)
        gone = of_best >= np.float32(iou_threshold)
        gone[0] = True  # a box without area overlaps nothing, not even itself
        groups.append(rest[gone].tolist())
        rest = rest[~gone]
    return groups
