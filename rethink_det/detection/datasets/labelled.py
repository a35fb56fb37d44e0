"""Pictures with what is said of them by files of another format than COCO's, as a COCO file.

Whatever wrote the labels, from here on a data set is COCO's: one loader, one evaluator, one look
at the data. The file is written once, into the user's cache, under a name that its content gives.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rethink_det.errors import UserError
from rethink_det.files import CACHE, save_text, user_cache

PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
"""How the names of pictures end, in any case."""
HELD_OUT = 5
"""One picture of so many is held out where a folder names no other split than that of training."""


class LabelledObject(NamedTuple):
    """An object.

    Attributes:
        name: Of its class.
        box: x, y, width, height in pixels.
        polygons: x, y, x, y, ... in pixels of each part of its mask; none if it has a box alone.
        ignored: Whether it counts for nothing, found or missed, as VOC's difficult ones.
    """

    name: str
    box: tuple[float, float, float, float]
    polygons: tuple[tuple[float, ...], ...] = ()
    ignored: bool = False


class LabelledPicture(NamedTuple):
    """A picture's file, its width and height in pixels, and its objects."""

    path: Path
    width: int
    height: int
    objects: tuple[LabelledObject, ...]


class Labelled(NamedTuple):
    """What a folder of another format holds.

    Attributes:
        splits: The pictures of ``'train'``, and of ``'val'`` and ``'test'`` if there are any.
        classes: Their names.
        how: What was read, in words, for who is to know.
    """

    splits: Mapping[str, Sequence[LabelledPicture]]
    classes: tuple[str, ...]
    how: str


def coco_content(
    pictures: Iterable[LabelledPicture], classes: Sequence[str], folder: Path
) -> dict[str, Any]:
    """Pictures as the content of a COCO file.

    Args:
        pictures: Them.
        classes: The categories, whose ids count from 1.
        folder: That the pictures' names start from.
    """
    numbers = {name: number for number, name in enumerate(classes, 1)}
    images: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, 1):
        name = os.path.relpath(picture.path, folder)
        size = {'width': picture.width, 'height': picture.height}
        images.append({'id': number, 'file_name': name, **size})
        for one in picture.objects:
            area = sum(map(area_of, one.polygons)) or one.box[2] * one.box[3]
            objects.append(
                {
                    'id': len(objects) + 1,
                    'image_id': number,
                    'category_id': numbers[one.name],
                    'bbox': _rounded(one.box),
                    'area': round(area, 3),
                    'iscrowd': int(one.ignored),
                    'segmentation': [_rounded(points) for points in one.polygons],
                }
            )
    categories = [{'id': number, 'name': name} for name, number in numbers.items()]
    return {'images': images, 'annotations': objects, 'categories': categories}


def area_of(points: Sequence[float]) -> float:
    """The area of a polygon x, y, x, y, ..."""
    xs, ys = points[::2], points[1::2]
    turned = zip(xs, ys, (*xs[1:], xs[0]), (*ys[1:], ys[0]), strict=True)
    return abs(sum(x * v - u * y for x, y, u, v in turned)) / 2


def written(content: Mapping[str, Any], root: Path, split: str) -> Path:
    """The file of a content in the user's cache; what is there already is not written again.

    Args:
        content: Of a COCO file.
        root: The folder whose labels it holds.
        split: What the file is called.

    Raises:
        UserError: The cache cannot be written.
    """
    text = json.dumps(content, allow_nan=False)
    name = f'{root.resolve().name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}'
    file = user_cache() / 'annotations' / name / f'{split}.json'
    try:
        if not file.is_file():
            save_text(text, file)
    except OSError as error:
        raise UserError(
            f'{file} cannot be written ({error.strerror}): it is to hold the labels of {root} in '
            f'COCO format; name a folder that can by the variable {CACHE}.'
        ) from None
    return file


def held_out(names: Iterable[str]) -> set[str]:
    """Those of a list of names that are held out: one of :data:`HELD_OUT`, the same every time."""
    drawn = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
    return set(drawn[: max(1, len(drawn) // HELD_OUT)])


def told_held_out(number: int, of: int) -> str:
    """What is said of pictures that are held out."""
    return (
        f'{number} of {of} pictures, held out of training by their names, as the folder has no '
        'val; if some are frames of one film, make a val of your own'
    )


def pictures_below(folder: Path) -> list[Path]:
    """Files of pictures, in order."""
    return sorted(path for path in folder.rglob('*') if path.suffix.lower() in PICTURES)


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 3) for value in values]
