"""What the heads of a detector put out, before that becomes detections."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.model import BaseModel
from torch import Tensor, nn

from rethink_det.detection.one_image import OneImage


class RawHeads(nn.Module):
    """Backbone, neck and heads of a detector, without choosing among what they put out.

    Of a detector in two stages these are the heads that propose regions, and the maps of the neck
    that its second stage would read.

    Args:
        detector: Of mmdet.
    """

    def __init__(self, detector: BaseModel) -> None:
        super().__init__()
        self.proposes = getattr(detector, 'rpn_head', None) is not None
        self.whole = OneImage(detector)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """All tensors for ``(1, C, H, W)``, in the order in which mmdet nests them."""
        if not self.proposes:
            return tuple(tensors_of(self.whole(images)))
        detector: Any = self.whole.detector
        features = detector.extract_feat(images)
        return tuple(tensors_of([detector.rpn_head(features), features]))


def tensors_of(node: Any) -> Iterator[Tensor]:
    """All tensors of an output, however nested, in order."""
    if isinstance(node, Tensor):
        yield node
    elif isinstance(node, Mapping):
        for part in node.values():
            yield from tensors_of(part)
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from tensors_of(part)
