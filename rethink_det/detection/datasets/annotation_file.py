"""What a COCO annotation file says: read once, every key that its readers need looked at."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from rethink_det.detection.datasets.ids import Name, is_id
from rethink_det.detection.datasets.mask_runs import decompressed
from rethink_det.errors import UserError

NO_MASK, POLYGON, RLE, BAD_MASK, BROKEN_MASK = range(5)
"""What an object's ``segmentation`` is: nothing; polygons; run lengths; neither, so that mmdet
ignores it; one of them with coordinates or lengths that cannot be."""

_OF_IMAGES = ('id', 'file_name', 'width', 'height')
_OF_CATEGORIES = ('id', 'name')
_OF_OBJECTS = ('id', 'image_id', 'category_id', 'bbox', 'area')
_MEANINGS = {
    'id': 'a number or a text of its own',
    'file_name': "the picture's file, below the folder of images",
    'name': 'the name of the class',
    'width': 'the width of the picture in pixels',
    'height': 'the height of the picture in pixels',
    'image_id': 'the id of its image',
    'category_id': 'the id of its category',
    'bbox': 'x, y, width, height in pixels: four finite numbers',
    'iscrowd': '0, or 1 for a group of objects under one mask or box',
    'area': 'the pixels that its mask covers or, without masks, width x height of its bbox',
}


class ImageEntry(NamedTuple):
    """An image that the file lists; width and height in pixels, as the file says."""

    number: Name
    name: str
    width: float
    height: float


class Category(NamedTuple):
    """A category that the file lists."""

    number: Name
    name: str


@dataclass(frozen=True, eq=False)
class Objects:
    """The N objects of a file, in its order.

    Attributes:
        numbers, images, categories: Ids of each, and of its image and category.
        boxes: float64 (N, 4): x, y, width, height in pixels.
        areas: float64 (N,), pixels.
        ignored: bool (N,), those with a true ``ignore``, which no reader of mmdet takes.
        crowds: bool (N,).
        without_iscrowd: How many have no ``iscrowd``, or null.
        masks: int8 (N,), see :data:`POLYGON`.
        mask_sizes: Height and width of run lengths, by place.
    """

    numbers: tuple[Name, ...]
    images: tuple[Name, ...]
    categories: tuple[Name, ...]
    boxes: np.ndarray
    areas: np.ndarray
    ignored: np.ndarray
    crowds: np.ndarray
    without_iscrowd: int
    masks: np.ndarray
    mask_sizes: Mapping[int, tuple[Any, ...]]

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, eq=False)
class AnnotationFile:
    """What a COCO annotation file holds.

    Attributes:
        path: The file.
        images: In the file's order.
        categories: In the file's order.
        objects: None in a file of images alone, as COCO's test-dev is.
    """

    path: Path
    images: tuple[ImageEntry, ...]
    categories: tuple[Category, ...]
    objects: Objects

    @staticmethod
    def read(path: Path) -> 'AnnotationFile':
        """Read a file; one that was read before and is the same is not read again.

        Raises:
            UserError: It is no COCO annotation file in UTF-8; an entry lacks a key, or has
                something else there; or two share an id.
        """
        status = path.stat()
        return _read(path.resolve(), path, status.st_size, status.st_mtime_ns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the categories."""
        return tuple(category.name for category in self.categories)


def forget() -> None:
    """Read every file anew that is asked for from now on."""
    _read.cache_clear()


@lru_cache(maxsize=8)
def _read(_: Path, path: Path, size: int, changed: int) -> AnnotationFile:
    content = _content(path)
    images = _entries(path, 'images', content['images'], _OF_IMAGES)
    categories = _entries(path, 'categories', content['categories'], _OF_CATEGORIES)
    rows = _entries(path, 'annotations', content.get('annotations') or [], _OF_OBJECTS)
    _check_key(path, 'annotations', rows, 'iscrowd')
    return AnnotationFile(
        path,
        tuple(ImageEntry(*(one[key] for key in _OF_IMAGES)) for one in images),
        tuple(Category(*(one[key] for key in _OF_CATEGORIES)) for one in categories),
        _objects(rows),
    )


def _content(path: Path) -> Mapping:
    """The file as mmdet will read it: JSON in UTF-8."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f'{path} is no COCO annotation file: byte {error.start} is not UTF-8. Save it as UTF-8.'
        ) from None
    try:
        content = json.loads(text)
    except ValueError as error:
        hint = ' Save it as UTF-8 without BOM.' if text.startswith('\ufeff') else ''
        raise UserError(f'{path} is no COCO annotation file: {error}.{hint}') from None
    except RecursionError:
        raise UserError(f'{path} is no COCO annotation file: it is nested too deeply.') from None
    lists = ('images', 'categories')
    if not isinstance(content, dict) or not all(_is_list(content.get(key)) for key in lists):
        raise UserError(
            f'{path} is no COCO annotation file: it must be an object with the lists images, '
            'annotations and categories.'
        )
    return content


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _entries(path: Path, name: str, rows: object, keys: Sequence[str]) -> list[Mapping]:
    """The entries of a list, when each has these keys, and an id of its own."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f'{path} is no COCO annotation file: {name} must be a list of objects.')
    for key in keys:
        _check_key(path, name, rows, key)
    last = {row['id']: place for place, row in enumerate(rows)}
    twice = [row for place, row in enumerate(rows) if last[row['id']] != place]
    if twice:
        raise UserError(
            f'{path}: {len(twice)} of {len(rows)} {name} share their id with a later one, the '
            f'first is {_called(twice[0])}. Every one needs an id of its own.'
        )
    return rows


def _check_key(path: Path, name: str, rows: Sequence[Mapping], key: str) -> None:
    is_right = _IS_RIGHT[key]
    wrong = [row for row in rows if not is_right(row.get(key))]
    if wrong:
        first = wrong[0]
        has = f'{key} {_shortened(first[key])}' if key in first else f'no {key}'
        raise UserError(
            f'{path}: {len(wrong)} of {len(rows)} {name} have no {key} that can be used, the '
            f'first is {_called(first)}: {has}. It must be {_MEANINGS[key]}.'
        )


def _called(row: Mapping) -> str:
    """What an entry is found by."""
    name = row.get('file_name') or row.get('name')
    number = row.get('id')
    return f'{number!r} ({name})' if name else f'{number!r}'


def _shortened(value: object, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else f'{text[:most]}...'


def _is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return isfinite(value)
    except OverflowError:  # an integer of very many digits
        return False


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_length(value: object) -> bool:
    return _is_number(value) and value > 0


def _is_flag(value: object) -> bool:
    return value is None or isinstance(value, (bool, int)) and value in (0, 1)


def _is_box(value: object) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))


_IS_RIGHT: Mapping[str, Callable[[object], bool]] = {
    'id': is_id,
    'file_name': _is_name,
    'name': _is_name,
    'width': _is_length,
    'height': _is_length,
    'image_id': is_id,
    'category_id': is_id,
    'bbox': _is_box,
    'area': _is_number,
    'iscrowd': _is_flag,
}


def _objects(rows: Sequence[Mapping]) -> Objects:
    masks = [_kind_of(row.get('segmentation')) for row in rows]
    return Objects(
        tuple(row['id'] for row in rows),
        tuple(row['image_id'] for row in rows),
        tuple(row['category_id'] for row in rows),
        np.array([row['bbox'] for row in rows], float).reshape(-1, 4),
        np.array([row['area'] for row in rows], float),
        np.array([bool(row.get('ignore')) for row in rows], bool),
        np.array([bool(row.get('iscrowd')) for row in rows], bool),
        sum(row.get('iscrowd') is None for row in rows),
        np.array(masks, np.int8),
        {
            place: tuple(rows[place]['segmentation']['size'])
            for place, kind in enumerate(masks)
            if kind == RLE
        },
    )


def _kind_of(mask: object) -> int:
    """What mmdet can make of a ``segmentation``."""
    if not mask:
        return NO_MASK
    if isinstance(mask, list):
        polygons = [points for points in mask if _is_polygon(points)]
        if not all(map(_is_number, chain.from_iterable(polygons))):
            return BROKEN_MASK
        return POLYGON if polygons else BAD_MASK
    if not isinstance(mask, dict) or not isinstance(mask.get('counts'), (list, str)):
        return BAD_MASK
    size = mask.get('size')
    if not isinstance(size, list) or len(size) != 2:
        return BAD_MASK
    return RLE if _has_pixels(mask['counts'], size) else BROKEN_MASK


def _is_polygon(points: object) -> bool:
    return isinstance(points, list) and len(points) >= 6 and len(points) % 2 == 0


def _has_pixels(counts: list | str, size: list) -> bool:
    """Whether run lengths are those of a mask of that height and width."""
    if not all(isinstance(side, int) and side > 0 for side in size):
        return False
    pixels = size[0] * size[1]
    runs = decompressed(counts) if isinstance(counts, str) else counts
    lengths = all(isinstance(one, int) and one >= 0 for one in runs)
    return lengths and sum(runs) == pixels
