"""A Faster or Mask R-CNN as one graph without Python's decisions, which ONNX can hold.

mmdet's own prediction cannot be exported: which branch it takes hangs on how many boxes there
are, and what it does differently in an ONNX export was written for mmdet 2 and calls modules
that are gone. Here the same layers run, and what is between them is said in tensors alone.

Source: arXiv 1506.01497 (Faster R-CNN), arXiv 1612.03144 (the level of a RoI), arXiv 1703.06870
(Mask R-CNN); the order of the steps is that of mmdet's ``RPNHead`` and ``StandardRoIHead``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModel, BaseModule
from mmengine.registry import TASK_UTILS
from torch import Tensor, nn
from torchvision.ops import nms, roi_align

from rethink_det.errors import UserError
from rethink_det.registered import registered
from rethink_det.registry import MODELS

_MOST_GROWTH = math.log(1000 / 16)
"""What mmdet clips the logarithm of a box's growth to."""


class RCNNGraph(nn.Module):
    """The detector's own layers, and its post-processing as tensors.

    Args:
        detector: Of mmdet.
        size: ``(height, width)`` of the images, to which boxes are clipped.

    Raises:
        UserError: The detector has parts that are not known here; names them.
    """

    def __init__(self, detector: BaseModel, size: tuple[int, int]) -> None:
        unknown = list(_unknown_parts(detector))
        if unknown:
            raise UserError(
                f'A {type(detector).__name__} with {"; ".join(unknown)} cannot be exported as a '
                'whole. Export its feature maps by --backbone (backbone and neck).'
            )
        super().__init__()
        self.detector, self.size = detector, size
        self.threshold = float(detector.roi_head.test_cfg.score_thr)

    def forward(self, images: Tensor, threshold: Tensor | None = None) -> tuple[Tensor, ...]:
        """Detections in one image, the best first.

        Args:
            images: ``(1, 3, H, W)``, normalised.
            threshold: Scalar; less likely detections are left out. Default: the detector's.

        Returns:
            Boxes ``(n, 4)``, x1, y1, x2, y2 in pixels of ``images``; scores ``(n,)``; labels
            ``(n,)``, int64; of a detector with masks also these, ``(n, h, w)``: probabilities
            over the area of the box.
        """
        features = self.detector.extract_feat(images)
        least = self.threshold if threshold is None else threshold
        detections = self._boxes(features, self._proposals(features), least)
        if not self.detector.with_mask:
            return detections
        return (*detections, self._masks(features, *detections))

    def _proposals(self, features: Sequence[Tensor]) -> Tensor:
        head = self.detector.rpn_head
        settings = head.test_cfg
        maps = list(zip(*head(features), strict=True))
        shapes = [scores.shape[-2:] for scores, _ in maps]
        grids = head.prior_generator.grid_priors(shapes, device=maps[0][0].device)
        levels = []
        for (scores, deltas), anchors in zip(maps, grids, strict=True):
            scores = scores[0].permute(1, 2, 0).reshape(-1).sigmoid()
            deltas = deltas[0].permute(1, 2, 0).reshape(-1, 4)
            most = settings.nms_pre if settings.nms_pre > 0 else len(scores)
            scores, best = scores.topk(min(most, len(scores)))
            levels.append((self._decode(head, anchors[best], deltas[best]), scores))
        boxes, scores = (torch.cat(parts) for parts in zip(*levels, strict=True))
        level = torch.cat([torch.full_like(s, i) for i, (_, s) in enumerate(levels)])
        sides = boxes[:, 2:] - boxes[:, :2]
        large = (sides > settings.get('min_bbox_size', -1)).all(1).nonzero()[:, 0]
        boxes, scores, level = boxes[large], scores[large], level[large]
        return boxes[self._suppressed(boxes, scores, level, settings)]

    def _boxes(
        self, features: Sequence[Tensor], proposals: Tensor, threshold: float | Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        roi_head = self.detector.roi_head
        head, settings = roi_head.bbox_head, roi_head.test_cfg
        pooled = _pooled(roi_head.bbox_roi_extractor, features, proposals)
        scores, deltas = head(pooled)
        scores = scores.softmax(-1)[:, :-1]  # the last is background
        rows, labels = (scores > threshold).nonzero(as_tuple=True)
        deltas = deltas.reshape(deltas.shape[0], -1, 4)
        deltas = deltas[rows, labels * 0 if head.reg_class_agnostic else labels]
        boxes = self._decode(head, proposals[rows], deltas)
        scores = scores[rows, labels]
        best = self._suppressed(boxes, scores, labels, settings)
        return boxes[best], scores[best], labels[best]

    def _masks(
        self, features: Sequence[Tensor], boxes: Tensor, scores: Tensor, labels: Tensor
    ) -> Tensor:
        roi_head = self.detector.roi_head
        pooled = _pooled(roi_head.mask_roi_extractor, features, boxes)
        masks = roi_head.mask_head(pooled).sigmoid()
        if roi_head.mask_head.class_agnostic:
            return masks[:, 0]
        return masks[torch.arange(masks.shape[0]), labels]

    def _decode(self, head: BaseModule, boxes: Tensor, deltas: Tensor) -> Tensor:
        coder = head.bbox_coder
        deltas = deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)
        sides = boxes[:, 2:] - boxes[:, :2]
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + deltas[:, :2] * sides
        halves = sides * deltas[:, 2:].clamp(-_MOST_GROWTH, _MOST_GROWTH).exp() / 2
        corners = torch.cat([centres - halves, centres + halves], 1)
        height, width = self.size
        most = corners.new_tensor([width, height, width, height])
        return corners.clamp(min=torch.zeros_like(most), max=most)

    def _suppressed(self, boxes: Tensor, scores: Tensor, group: Tensor, settings: Any) -> Tensor:
        """Which boxes are left, the best first; only those of one group suppress each other."""
        apart = group.to(boxes.dtype) * (max(self.size) + 1)
        kept = nms(boxes + apart[:, None], scores, settings.nms.iou_threshold)
        return kept[: settings.max_per_img] if settings.max_per_img > 0 else kept


def _pooled(extractor: BaseModule, features: Sequence[Tensor], boxes: Tensor) -> Tensor:
    """``(n, C, h, w)``, of each box from the level of its size."""
    rois = torch.cat([torch.zeros_like(boxes[:, :1]), boxes], 1)
    levels = extractor.map_roi_levels(rois, extractor.num_inputs)
    parts, places = [], []
    for number, layer in enumerate(extractor.roi_layers):
        places.append((levels == number).nonzero()[:, 0])
        parts.append(
            roi_align(
                features[number],
                rois[places[-1]],
                layer.output_size,
                layer.spatial_scale,
                layer.sampling_ratio,
                layer.aligned,
            )
        )
    return torch.cat(parts)[torch.cat(places).argsort()]


def _unknown_parts(detector: BaseModel) -> Iterator[str]:
    """What of a detector :class:`RCNNGraph` would compute otherwise than mmdet."""
    rpn: BaseModule = getattr(detector, 'rpn_head', None)
    roi: BaseModule = getattr(detector, 'roi_head', None)
    if not _is(rpn, 'RPNHead') or not _is(roi, 'StandardRoIHead'):
        yield 'other heads than RPNHead and StandardRoIHead'
        return
    if not rpn.use_sigmoid_cls:
        yield 'an RPN that uses softmax'
    if roi.with_shared_head:
        yield 'a shared head'
    box_heads = 'Shared2FCBBoxHead', 'Shared4Conv1FCBBoxHead', 'ConvFCBBoxHead'
    parts = [(roi.bbox_head, box_heads), (roi.bbox_roi_extractor, ('SingleRoIExtractor',))]
    if roi.with_mask:
        parts += [(roi.mask_head, ('FCNMaskHead',)), (roi.mask_roi_extractor, parts[1][1])]
    for part, known in parts:
        if not any(_is(part, name) for name in known):
            yield f'a {type(part).__name__}'
    if roi.bbox_head.custom_cls_channels:
        yield f'a {type(roi.bbox_head.loss_cls).__name__}'
    yield from _unknown_steps(rpn.bbox_coder, rpn.test_cfg)
    yield from _unknown_steps(roi.bbox_head.bbox_coder, roi.test_cfg)


def _unknown_steps(coder: Any, settings: Mapping) -> Iterator[str]:
    """What is unknown of how boxes are decoded and suppressed."""
    plain = registered(TASK_UTILS, 'mmdet.DeltaXYWHBBoxCoder')
    if type(coder) is not plain or not coder.clip_border or coder.add_ctr_clamp:
        yield f'an unusual {type(coder).__name__}'
    nms_keys = set(settings['nms']) - {'split_thr'}
    if nms_keys != {'type', 'iou_threshold'} or settings['nms']['type'] != 'nms':
        yield f'the suppression {dict(settings["nms"])}'


def _is(module: nn.Module | None, name: str) -> bool:
    """Whether a module is exactly of mmdet's class of that name."""
    return type(module) is registered(MODELS, f'mmdet.{name}')
