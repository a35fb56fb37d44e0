"""Pictures with what they are taken for below them."""

import cv2
import numpy as np

from rethink_det.classification.prediction.classified import TOP, Classified
from rethink_det.datasets.pixels import text_lines

SMALLEST = 256
"""Pixels of the shorter side below which a picture is shown enlarged."""


def drawn(picture: np.ndarray, found: Classified, number: int = TOP) -> np.ndarray:
    """A picture, enlarged by a whole number if it is small, and its best classes below it.

    Args:
        picture: ``(height, width, 3)`` uint8, red, green, blue.
        found: What it is taken for.
        number: How many classes.
    """
    times = -(-SMALLEST // min(picture.shape[:2]))
    if times > 1:
        height, width = (times * side for side in picture.shape[:2])
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST)
    lines = [f'{score:6.1%} {name}' for _, name, score in found.top(number)]
    return np.concatenate([picture, text_lines(lines, picture.shape[1])])
