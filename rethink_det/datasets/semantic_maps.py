"""Semantic maps of a COCO data set: a picture of class numbers for each of its pictures."""

from pathlib import Path

import cv2
import numpy as np
from pycocotools.coco import COCO

from rethink_det.datasets.atomic_folder import build_folder
from rethink_det.datasets.progress_bar import progress

BACKGROUND = 0
"""Of pixels in no object; the classes are from 1 on."""


def semantic_maps(annotations: Path, folder: Path) -> None:
    """Draw the objects of a COCO file as ``<folder>/<picture>.png``, unless it is there.

    A map is as large as its picture, of one byte a pixel. Smaller objects are drawn over larger
    ones; regions of many objects (``iscrowd``) count as objects.

    Args:
        annotations: File with masks.
        folder: Is there complete or not at all.

    Raises:
        FolderError: It cannot be written.
    """
    build_folder(folder.resolve(), folder.is_dir, lambda draft: _draw(COCO(annotations), draft))


def class_map(coco: COCO, image: int) -> np.ndarray:
    """Class numbers of a picture's pixels, uint8 of shape (height, width).

    Args:
        coco: The data set.
        image: Id of the picture.
    """
    size = coco.imgs[image]
    numbers = {category: at for at, category in enumerate(sorted(coco.getCatIds()), BACKGROUND + 1)}
    found = np.full((size['height'], size['width']), BACKGROUND, np.uint8)
    objects = coco.loadAnns(coco.getAnnIds(imgIds=[image]))
    for one in sorted(objects, key=lambda one: -one['area']):
        found[coco.annToMask(one) > 0] = numbers[one['category_id']]
    return found


def _draw(coco: COCO, folder: Path) -> None:
    for image in progress(coco.getImgIds(), len(coco.imgs), 'Drawing semantic maps'):
        file = folder / Path(coco.imgs[image]['file_name']).with_suffix('.png')
        file.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(file), class_map(coco, image)):
            raise OSError(f'cannot write {file}')
