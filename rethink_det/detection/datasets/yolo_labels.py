"""A file of labels in YOLO format: a line an object, shares of the picture's width and height.

``class x y width height`` with the middle of the box, or ``class x1 y1 x2 y2 x3 y3 ...``, a
polygon, as Ultralytics writes them (docs.ultralytics.com/datasets).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from pathlib import Path

from rethink_det.detection.datasets.labelled import LabelledObject
from rethink_det.errors import UserError

MOST = 2.0
"""No share of a picture is as large: then coordinates are pixels."""


def read_labels(
    file: Path, names: Sequence[str], width: int, height: int, points: int = 0
) -> tuple[LabelledObject, ...]:
    """The objects of a file; one that is the same as before is not read again.

    Args:
        file: It may be empty: a picture without objects.
        names: Of the classes.
        width: Of its picture, pixels.
        height: Likewise.
        points: How many numbers of keypoints follow each box; they are left out.

    Raises:
        UserError: Names the file, the line and what it should be.
    """
    rows = _rows(file, file.stat().st_size, file.stat().st_mtime_ns)
    told = (_object(row, names, (width, height), points, f'{file}:{n}') for n, row in rows)
    return tuple(told)


@lru_cache(maxsize=100_000)
def _rows(file: Path, size: int, changed: int) -> tuple[tuple[int, tuple[float, ...]], ...]:
    """The numbers of every line that has some."""
    try:
        lines = file.read_text(encoding='utf-8-sig').splitlines()
    except UnicodeDecodeError:
        raise UserError(f'{file} is no file of labels in YOLO format: it is no text.') from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            row = tuple(map(float, line.split()))
        except ValueError:
            row = (float('nan'),)
        if not all(map(isfinite, row)):
            raise UserError(f'{file}:{number}: {line[:60]!r} is no line of finite numbers.')
        if row:
            found.append((number, row))
    return tuple(found)


def _object(
    row: Sequence[float], names: Sequence[str], size: tuple[int, int], points: int, where: str
) -> LabelledObject:
    kind, *shares = row
    if kind != int(kind) or not 0 <= kind < len(names):
        raise UserError(
            f'{where}: class {kind:g}, but there are {len(names)} names, of the classes 0 to '
            f'{len(names) - 1}: add its name, or remove the line.'
        )
    shares = shares[: len(shares) - points]
    if len(shares) == 5:
        raise UserError(
            f'{where}: six numbers are what a detector found, with its score; labels have five.'
        )
    if len(shares) != 4 and (len(shares) < 6 or len(shares) % 2):
        raise UserError(
            f'{where}: {len(row)} numbers are neither a box (class, x, y, width, height) nor a '
            'polygon (class and three points or more).'
        )
    if max(map(abs, shares)) > MOST:
        raise UserError(
            f'{where}: {max(shares, key=abs):g} is no share of the picture: coordinates must be '
            'divided by its width and height.'
        )
    pixels = tuple(share * size[place % 2] for place, share in enumerate(shares))
    name = names[int(kind)]
    if len(shares) == 4:
        x, y, width, height = pixels
        if width < 0 or height < 0:
            raise UserError(f'{where}: a box of width {shares[2]:g} and height {shares[3]:g}.')
        return LabelledObject(name, (x - width / 2, y - height / 2, width, height))
    left, top = min(pixels[::2]), min(pixels[1::2])
    box = (left, top, max(pixels[::2]) - left, max(pixels[1::2]) - top)
    return LabelledObject(name, box, (pixels,))
