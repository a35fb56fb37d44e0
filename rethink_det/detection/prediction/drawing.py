"""Pictures with what was found on them, by mmdet's own visualizer."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from rethink_det.detection.prediction.detections import Detections
from rethink_det.errors import UserError

GAP = 8
"""Pixels between two pictures that stand side by side."""


def drawn(picture: np.ndarray, found: Detections) -> np.ndarray:
    """A picture with boxes, masks, names and scores on it.

    Args:
        picture: ``(height, width, 3)`` uint8, red, green, blue.
        found: What is drawn, all of it.

    Returns:
        Another one of the same shape.
    """
    visualizer = DetLocalVisualizer(name='predict')
    visualizer.dataset_meta = {'classes': tuple(found.classes)}
    instances = InstanceData(
        bboxes=torch.from_numpy(found.boxes),
        scores=torch.from_numpy(found.scores),
        labels=torch.from_numpy(found.labels),
    )
    if found.masks is not None:
        instances.masks = found.masks
    sample = DetDataSample(pred_instances=instances)
    visualizer.add_datasample('', picture, sample, draw_gt=False, show=False, pred_score_thr=0)
    return visualizer.get_image()


def side_by_side(pictures: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Pictures of equal height in a row, each under its title."""
    columns: list[np.ndarray] = []
    for picture, title in zip(pictures, titles, strict=True):
        strip = np.full((28, picture.shape[1], 3), 255, np.uint8)
        place, font = (4, 20), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(strip, title, place, font, 0.55, (0, 0, 0), 1, cv2.LINE_AA)
        column = np.concatenate([strip, picture])
        gap = np.full((len(column), GAP, 3), 255, np.uint8)
        columns += [gap, column]
    return np.concatenate(columns[1:], 1)


def read_picture(path: Path) -> np.ndarray:
    """Pixels, red, green, blue; raises :class:`UserError` if it is no picture."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UserError(f'{path} is no picture that can be read.')
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Store pixels, red, green, blue, in the format that the name says."""
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
        raise OSError(f'cannot write {path}')
