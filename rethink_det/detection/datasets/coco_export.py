"""COCO files as labelling tools export them: they lack something, or call pictures otherwise.

Only what is absent is put in, and it is said; what is there and wrong is left for whoever looks at
the data.
"""

import json
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from rethink_det.datasets.picture_files import read_header
from rethink_det.detection.datasets.labelled import area_of
from rethink_det.detection.datasets.mask_runs import decompressed
from rethink_det.detection.datasets.picture_names import PictureNames

Rows = Sequence[MutableMapping[str, Any]]


def mended(file: Path, root: Path, split: str = '') -> tuple[dict[str, Any], str] | None:
    """The content of a COCO file with what it lacks, its pictures called by their paths.

    Args:
        file: As it was exported.
        root: Where its pictures are looked for, and where their paths start from.
        split: What it is of; the folders of other splits are left out.

    Returns:
        The content, and what was put in, in words; None if that is nothing, or the file is not
        COCO's.
    """
    content = read_coco(file)
    if content is None:
        return None
    images, objects = content['images'], content['annotations']
    told = [
        *_names(images, PictureNames(root, split)),
        *_sizes(images, root),
        *_of_objects(objects),
    ]
    return (content, ', '.join(told)) if told else None


def read_coco(file: Path) -> dict[str, Any] | None:
    """The content of a COCO file of images and objects; None if it is something else."""
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return None
    lists = ('images', 'annotations', 'categories')
    if not isinstance(content, dict) or not all(_is_rows(content.get(key)) for key in lists):
        return None
    return content


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _names(images: Rows, pictures: PictureNames) -> list[str]:
    """Call the pictures by their paths below the root, in place."""
    changed = 0
    for image in images:
        said = image.get('file_name')
        found = pictures.find(said) if isinstance(said, str) else None
        if found is not None and found != said:
            image['file_name'] = found
            changed += 1
    return [f'{changed} pictures found by their names'] if changed else []


def _sizes(images: Rows, root: Path) -> list[str]:
    """Give the pictures width and height where they have none, in place."""
    without = [image for image in images if _lacks(image, 'width') or _lacks(image, 'height')]
    known = [image for image in without if (root / str(image.get('file_name'))).is_file()]
    for image in known:
        image['width'], image['height'] = read_header(root / image['file_name']).shown
    return [f'width and height of {len(known)} images by their pictures'] if known else []


def _of_objects(objects: Rows) -> list[str]:
    """Give the objects what they lack, in place."""
    told = []
    if objects and all(_lacks(one, 'id') for one in objects):
        for number, one in enumerate(objects, 1):
            one['id'] = number
        told.append(f'ids of {len(objects)} objects')
    for one in (unboxed := [one for one in objects if _lacks(one, 'bbox') and _polygons(one)]):
        xs = [x for points in _polygons(one) for x in points[::2]]
        ys = [y for points in _polygons(one) for y in points[1::2]]
        one['bbox'] = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    told += [f'bbox of {len(unboxed)} objects by their polygons'] if unboxed else []
    unsized = [one for one in objects if _lacks(one, 'area') and _is_box(one.get('bbox'))]
    for one in unsized:
        one['area'] = _covered(one) or one['bbox'][2] * one['bbox'][3]
    told += [f'area of {len(unsized)} objects'] if unsized else []
    unsaid = [one for one in objects if _lacks(one, 'iscrowd')]
    for one in unsaid:
        one['iscrowd'] = 0
    return [*told, f'iscrowd=0 of {len(unsaid)} objects'] if unsaid else told


def _lacks(row: Mapping[str, Any], key: str) -> bool:
    return row.get(key) is None


def _covered(one: Mapping[str, Any]) -> float:
    """The pixels of an object's mask, if it has one that says them."""
    mask = one.get('segmentation')
    runs = mask.get('counts') if isinstance(mask, dict) else None
    if runs and isinstance(runs, (str, list)):
        return sum((decompressed(runs) if isinstance(runs, str) else runs)[1::2])
    return sum(map(area_of, _polygons(one)))


def _polygons(one: Mapping[str, Any]) -> list[list[float]]:
    """Those of an object that can be drawn."""
    parts = one.get('segmentation')
    parts = parts if isinstance(parts, list) else []
    return [points for points in parts if _are_numbers(points) and len(points) >= 6]


def _is_box(value: object) -> bool:
    return _are_numbers(value) and isinstance(value, list) and len(value) == 4


def _are_numbers(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(x, (int, float)) for x in value)
