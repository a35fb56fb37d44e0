"""What a detector found, in columns: a few arrays instead of 100,000 dicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, TypeAlias

import numpy as np
from pycocotools import mask as mask_tools

from rethink_det.detection.datasets.ids import Name
from rethink_det.errors import UserError

Table: TypeAlias = dict[str, Any]
"""``image_id``, ``category_id`` (ids as the annotations have them), ``score``, and ``bbox`` (x, y,
width, height in pixels) or ``segmentation`` (RLE), each a column of the same length."""


@dataclass(frozen=True, eq=False)
class Detections:
    """N detections.

    Attributes:
        images: Number of the image of each, int (N,).
        categories: Number of its category, int (N,).
        scores: float64 (N,).
        boxes: x, y, width, height in pixels, float64 (N, 4); zeros where masks are judged.
        areas: float64 (N,), pixels.
        masks: N RLEs; None where boxes are judged.
    """

    images: np.ndarray
    categories: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    masks: list[Any] | None

    @classmethod
    def of(cls, images: np.ndarray, categories: np.ndarray, table: Table) -> 'Detections':
        """With what of a table is not in ids.

        Raises:
            UserError: A score or a box is not finite.
        """
        scores = np.asarray(table['score'], float)
        masks = None if 'bbox' in table else [*table['segmentation']]
        boxes = np.zeros((len(scores), 4))
        if masks is None:
            boxes = np.asarray(table['bbox'], float).reshape(-1, 4)
            areas = boxes[:, 2] * boxes[:, 3]
        else:
            areas = _areas(masks)
        _check_finite(scores, boxes, table['image_id'])
        return cls(images, categories, scores, boxes, areas, masks)


_AT_ONCE = 255
"""How many masks pycocotools measures in one call: it counts them in a byte."""


def _areas(masks: Sequence[Mapping]) -> np.ndarray:
    """Pixels of each mask, float64 (N,)."""
    parts = (masks[start : start + _AT_ONCE] for start in range(0, len(masks), _AT_ONCE))
    return np.concatenate([np.zeros(0), *(mask_tools.area(part) for part in parts)])


def _check_finite(scores: np.ndarray, boxes: np.ndarray, names: Sequence[Name]) -> None:
    wrong = ~(np.isfinite(scores) & np.isfinite(boxes).all(1))
    if wrong.any():
        name = [*names][int(wrong.argmax())]
        raise UserError(
            f'{wrong.sum()} of {len(scores)} detections have a score or a box that is not finite, '
            f'the first is on image {name!r}: the network has diverged, or its weights are damaged.'
        )


def table_of_results(
    results: Sequence[Mapping], categories: Sequence[Name], masks: bool = False
) -> Table:
    """Predictions of many images, in the order given.

    Args:
        results: Per image ``bboxes`` (n, 4) as x1, y1, x2, y2 in pixels, ``scores`` (n),
            ``labels`` (n) and, for masks, ``masks`` (n compressed RLEs) and, if masks have
            scores of their own, ``mask_scores``; ``img_id``, by default the position.
        categories: The id of each label.
        masks: Whether to judge masks: the score is then that of the mask.

    Raises:
        UserError: There is a label that no category has.
    """
    score = 'mask_scores' if masks and 'mask_scores' in results[0] else 'scores'
    labels = np.concatenate([result['labels'] for result in results]).astype(int)
    if labels.max(initial=-1) >= len(categories):
        raise UserError(
            f'There are predictions of class number {labels.max()}, but the annotations have '
            f'{len(categories)} of the classes: numbers are from 0.'
        )
    boxes = np.concatenate([result['bboxes'] for result in results]).astype(float)
    boxes[:, 2:] -= boxes[:, :2]
    named = ((one.get('img_id', place), len(one['labels'])) for place, one in enumerate(results))
    table = {
        'image_id': [*chain.from_iterable(repeat(name, count) for name, count in named)],
        'category_id': [categories[label] for label in labels.tolist()],
        'score': np.concatenate([result[score] for result in results]).astype(float),
        'bbox': boxes,
    }
    if masks:
        table['segmentation'] = [mask for result in results for mask in result['masks']]
    return table


def table_of_rows(rows: Sequence[Mapping], key: str) -> Table:
    """Predictions of a COCO result file.

    Args:
        rows: Each a dict of a prediction.
        key: What is judged, ``'bbox'`` or ``'segmentation'``.
    """
    columns = ('image_id', 'category_id', 'score', key)
    return {name: [row[name] for row in rows] for name in columns}
