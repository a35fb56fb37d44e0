"""Two-stage detectors that look at as many regions as they may, whatever they see.

How many regions a first stage proposes, and how many of them get a mask, follows from weights and
image. What a pass costs must not: here it is always the most that the config's ``test_cfg`` lets
through, ``rpn.max_per_img`` boxes and ``rcnn.max_per_img`` masks.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn

KEPT = 'max_per_img'
"""Key of ``test_cfg``."""


def fix_regions(detector: BaseModel) -> int | None:
    """Let a detector look at a fixed number of regions, in place.

    What only picks values from feature maps (RoIAlign) is left out, so that it can be done on the
    meta device.

    Returns:
        How many boxes its second stage gets; None of a detector of one stage, or of one that
        learns its regions.
    """
    first, second = getattr(detector, 'rpn_head', None), getattr(detector, 'roi_head', None)
    if first is None or second is None:
        return None
    boxes = _most(first)
    if boxes is not None:
        for head in (one for one in first.modules() if hasattr(one, 'predict_by_feat')):
            head.predict_by_feat = partial(_proposals, boxes)
    masks = _most(second)
    if masks and hasattr(second, '_mask_forward'):
        second._mask_forward = _at_most(masks, second._mask_forward)
    for extractor in second.modules():
        if type(extractor) is SingleRoIExtractor and not any(True for _ in extractor.parameters()):
            extractor.forward = partial(_regions, extractor)
    return boxes


def _most(head: nn.Module) -> int | None:
    return (getattr(head, 'test_cfg', None) or {}).get(KEPT)


def _proposals(count: int, scores: Any, *_: Any, **__: Any) -> list[InstanceData]:
    """As many boxes of one image as there may be, all alike; arguments as ``predict_by_feat``."""
    while not isinstance(scores, Tensor):
        scores = scores[0]
    boxes = scores.new_tensor([0.0, 0.0, 64.0, 64.0]).expand(count, 4)
    found = {'bboxes': boxes, 'scores': scores.new_ones(count)}
    return [InstanceData(**found, labels=torch.zeros_like(boxes[:, 0], dtype=torch.long))]


def _regions(
    extractor: SingleRoIExtractor, maps: tuple[Tensor, ...], rois: Tensor, *_: Any, **__: Any
) -> Tensor:
    """Features of the shape that the extractor gives."""
    size = extractor.roi_layers[0].output_size
    return maps[0].new_zeros(len(rois), extractor.out_channels, *size)


def _at_most(count: int, forward: Callable[..., dict]) -> Callable[..., dict]:
    """A ``_mask_forward`` of which more regions than that cost nothing."""

    def limited(*args: Any, **kwargs: Any) -> dict:
        more = sum(max(0, len(arg) - count) for arg in args if _are_rois(arg))
        found = forward(*(arg[:count] if _are_rois(arg) else arg for arg in args), **kwargs)
        if not more:
            return found
        masks = found['mask_preds']  # whoever asked wants one for each region
        return {**found, 'mask_preds': torch.cat([masks, masks.new_zeros(more, *masks.shape[1:])])}

    return limited


def _are_rois(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dim() == 2 and value.shape[1] == 5
