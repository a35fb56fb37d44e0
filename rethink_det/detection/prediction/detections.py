"""The value: what a detector finds on a picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as mask_tools

from rethink_det.errors import UserError

if TYPE_CHECKING:
    import supervision


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects on a picture, the surest first.

    Attributes:
        boxes: ``(N, 4)`` float32: left, top, right and bottom, in pixels of the picture.
        scores: ``(N,)`` float32, 0..1.
        labels: ``(N,)`` int64: places in ``classes``.
        classes: Names of all classes.
        size: ``(height, width)`` of the picture.
        masks: ``(N, height, width)`` bool; None of a detector that finds no masks.
        image: Where the picture is from; empty of one that was given as an array.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    classes: Sequence[str]
    size: tuple[int, int]
    masks: np.ndarray | None = None
    image: str = ''

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def names(self) -> list[str]:
        """The class of each."""
        return [self.classes[label] for label in self.labels.tolist()]

    def above(self, threshold: float) -> 'Detections':
        """Those of at least such a score."""
        return self[self.scores >= threshold]

    def sorted(self) -> 'Detections':
        """The same, the surest first."""
        return self[np.argsort(-self.scores, kind='stable')]

    def __getitem__(self, chosen: np.ndarray) -> 'Detections':
        """Some of them: by a bool for each, or by their places in the order that is wanted."""
        return replace(
            self,
            boxes=self.boxes[chosen],
            scores=self.scores[chosen],
            labels=self.labels[chosen],
            masks=None if self.masks is None else self.masks[chosen],
        )

    def coco_rows(self, image_id: int | str, category_ids: Sequence[int]) -> list[dict[str, Any]]:
        """As a COCO result file has them: boxes as left, top, width and height, masks as RLE.

        Args:
            image_id: Of the picture.
            category_ids: Of the classes, in their order.
        """
        sizes = np.concatenate([self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]], 1)
        rows = [
            {
                'image_id': image_id,
                'category_id': category_ids[label],
                'bbox': [round(value, 3) for value in box],
                'score': round(score, 6),
            }
            for label, box, score in zip(
                self.labels.tolist(), sizes.tolist(), self.scores.tolist(), strict=True
            )
        ]
        for row, mask in zip(rows, () if self.masks is None else self.masks, strict=False):
            code = mask_tools.encode(np.asfortranarray(mask, dtype=np.uint8))
            row['segmentation'] = {'size': code['size'], 'counts': code['counts'].decode('ascii')}
        return rows

    def to_supervision(self) -> 'supervision.Detections':
        """As the ``supervision`` library has them, for its annotators and trackers.

        Raises:
            UserError: It is not installed.
        """
        try:
            from supervision import Detections as Theirs
        except ImportError as error:
            raise UserError('to_supervision needs the library: pip install supervision.') from error
        return Theirs(
            xyxy=self.boxes,
            confidence=self.scores,
            class_id=self.labels,
            mask=self.masks,
            data={'class_name': np.array(self.names)},
        )
