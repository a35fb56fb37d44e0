"""A detector as one graph, whatever runs it, asked what is on pictures."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rethink_det.datasets.pixels import Picture, name_of, rgb_of
from rethink_det.detection.prediction.detections import Detections
from rethink_det.detection.prediction.detector_input import DetectorInput
from rethink_det.detection.prediction.picture_detector import PictureDetector, numbered
from rethink_det.errors import UserError

Graph = Callable[[Tensor], Sequence[Tensor]]
"""Boxes, scores, labels and, of a detector with masks, these, of ``(1, 3, H, W)``."""


class GraphDetector(PictureDetector):
    """A detector of one fixed size, such as an exported file holds.

    Args:
        graph: Of images, normalised or pixels: boxes ``(n, 4)`` in pixels of the image, scores
            ``(n,)``, labels ``(n,)`` and perhaps masks ``(n, h, w)``, probabilities over the area
            of the box.
        reads: How pictures are made ready.
        pixels: Whether the graph is handed RGB pixels, uint8, and normalises them itself.
    """

    def __init__(self, graph: Graph, reads: DetectorInput, pixels: bool = False) -> None:
        self.reads, self.classes = reads, reads.classes
        self._graph, self._prepare = graph, reads.padded if pixels else reads.normalised

    def _one(self, picture: Picture, threshold: float) -> Detections:
        return self.found(rgb_of(picture), name_of(picture)).above(threshold)

    def found(self, picture: np.ndarray, name: str = '') -> Detections:
        """All that is found on RGB pixels ``(h, w, 3)``.

        Args:
            picture: They.
            name: Where they are from.

        Raises:
            UserError: It finds a class that has no name.
        """
        image, scale = self.reads.pixels(picture)
        boxes, scores, labels, *masks = self._graph(self._prepare(image)[None])
        if self.classes and len(labels) and int(labels.max()) >= len(self.classes):
            raise UserError(
                f'The network tells more classes apart than the {len(self.classes)} that are '
                f'named: it found number {int(labels.max())}, counted from 0.'
            )
        height, width = picture.shape[:2]
        # As mmdet's heads do it: clipped to what the picture covers, then made as large as it is.
        size = torch.tensor([image.shape[2], image.shape[1]] * 2)
        boxes = boxes.float().clamp(min=torch.zeros(4), max=size) / torch.tensor(scale * 2)
        shapes = pasted(masks[0].float(), boxes, (height, width)) if masks else None
        return Detections(
            boxes=boxes.numpy(),
            scores=scores.float().numpy(),
            labels=labels.numpy().astype(np.int64),
            classes=self.classes or numbered(labels.numpy()),
            size=(height, width),
            masks=None if shapes is None else (shapes >= self.reads.mask_threshold).numpy(),
            image=name,
        ).sorted()


def pasted(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Probabilities over boxes as pictures, 0 outside; bilinear between the middles of pixels.

    Source: arXiv 1703.06870, section 3.1 (a mask is resized to the size of its box).

    Args:
        masks: ``(n, h, w)``.
        boxes: ``(n, 4)``, in pixels of the pictures.
        size: ``(height, width)`` of a picture.

    Returns:
        ``(n, height, width)``.
    """
    height, width = size
    whole = masks.new_zeros(len(masks), height, width)
    columns, rows = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    for number, (mask, (left, top, right, bottom)) in enumerate(zip(masks, boxes, strict=True)):
        x = (columns - left) / (right - left).clamp(min=1e-6) * 2 - 1
        y = (rows - top) / (bottom - top).clamp(min=1e-6) * 2 - 1
        grid = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)], -1)
        whole[number] = F.grid_sample(mask[None, None], grid[None], align_corners=False)[0, 0]
    return whole
