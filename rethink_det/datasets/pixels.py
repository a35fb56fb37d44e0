"""Pictures as pixels: read, written, set side by side."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import cv2
import numpy as np

from rethink_det.errors import UserError

Picture = str | PathLike | np.ndarray
"""A file, or pixels ``(height, width, 3)`` uint8 in the order of OpenCV: blue, green, red."""

GAP = 8
"""Pixels between two pictures that stand side by side."""

LINE = 28
"""Height in pixels of a line of text."""

FONT = cv2.FONT_HERSHEY_SIMPLEX
TEXT, SMALLEST = 0.55, 0.35
"""Size of its letters, and the least that can be read."""
CUT = '...'
"""What stands for the beginning of a line that is too long."""


def read_picture(path: str | PathLike) -> np.ndarray:
    """Pixels, red, green, blue; raises :class:`UserError` if it is no picture."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UserError(f'{path} is no picture that can be read.')
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def rgb_of(picture: Picture) -> np.ndarray:
    """Pixels of a file or of an array, red, green, blue.

    Raises:
        UserError: The file is no picture, or the array is not of such a shape and type.
    """
    if not isinstance(picture, np.ndarray):
        return read_picture(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UserError(
            f'A picture is uint8 (height, width, 3), blue, green, red; got {picture.dtype} '
            f'{picture.shape}.'
        )
    return np.ascontiguousarray(picture[:, :, ::-1])


def name_of(picture: Picture) -> str:
    """Where a picture is from; empty of one that is given as an array."""
    return '' if isinstance(picture, np.ndarray) else str(picture)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Store pixels, red, green, blue, in the format that the name says."""
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
        raise OSError(f'cannot write {path}')


def side_by_side(pictures: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Pictures in a row, each under its title; white below those that are not as high."""
    columns: list[np.ndarray] = []
    highest = max(len(picture) for picture in pictures)
    for picture, title in zip(pictures, titles, strict=True):
        below = white(highest - len(picture), picture.shape[1])
        column = np.concatenate([text_lines([title], picture.shape[1]), picture, below])
        columns += [white(len(column), GAP), column]
    return np.concatenate(columns[1:], 1)


def text_lines(lines: Sequence[str], width: int) -> np.ndarray:
    """Lines of text, black on white: ``(LINE * lines, width, 3)`` uint8.

    A line that is too long is smaller, as far as it can be read; of a longer one the end is left.
    """
    strip = white(LINE * len(lines), width)
    for number, line in enumerate(lines):
        while len(line) > len(CUT) + 1 and _long(line, SMALLEST) > width - 8:
            line = CUT + line[len(CUT) + 1 :]
        size = min(TEXT, max(SMALLEST, TEXT * (width - 8) / max(_long(line, TEXT), 1)))
        cv2.putText(strip, line, (4, LINE * number + 20), FONT, size, (0, 0, 0), 1, cv2.LINE_AA)
    return strip


def _long(line: str, size: float) -> int:
    """How many pixels a line of text is long."""
    return cv2.getTextSize(line, FONT, size, 1)[0][0]


def told_apart(paths: Sequence[str]) -> list[str]:
    """Paths without the folders that all of them begin with, and what all of them end in.

    ``runs/prune-d/seed0`` and ``runs/unpruned-d/seed0`` are ``prune-d`` and ``unpruned-d``.
    """
    parts = [Path(path).parts for path in paths]
    if len(set(parts)) < 2:
        return list(paths)
    while len({one[0] for one in parts}) == 1 and all(len(one) > 1 for one in parts):
        parts = [one[1:] for one in parts]
    while len({one[-1] for one in parts}) == 1 and all(len(one) > 1 for one in parts):
        parts = [one[:-1] for one in parts]
    return [str(Path(*one)) for one in parts]


def white(height: int, width: int) -> np.ndarray:
    """An empty picture."""
    return np.full((height, width, 3), 255, np.uint8)
