"""Writes pictures as an ordinary COCO folder: PNG files and instances JSON."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as rle

from rethink_det.datasets.shapes.outlines import CLASSES
from rethink_det.datasets.shapes.scene import Picture


def write_coco(folder: Path, split: str, pictures: Iterable[Picture]) -> None:
    """Writes ``<split>/000001.png, ...`` and ``annotations/instances_<split>.json``.

    Category ids are 1 to 8 in the order of ``CLASSES``; boxes are x, y, width, height
    in pixels and tight around the visible mask, which is stored as compressed RLE.
    """
    (folder / split).mkdir(parents=True)
    (folder / 'annotations').mkdir(exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, start=1):
        name = f'{number:06d}.png'
        if not cv2.imwrite(str(folder / split / name), picture.image[..., ::-1]):
            raise OSError(f'cannot write {folder / split / name}')
        height, width = picture.image.shape[:2]
        images.append(dict(id=number, file_name=name, height=height, width=width))
        for label, mask in zip(picture.labels, picture.masks, strict=True):
            annotations.append(_annotation(len(annotations) + 1, number, int(label), mask))
    content = dict(
        info=dict(description='rethink_det shapes', version='1'),
        licenses=[],
        images=images,
        annotations=annotations,
        categories=[dict(id=i, name=name) for i, name in enumerate(CLASSES, start=1)],
    )
    text = json.dumps(content)
    (folder / 'annotations' / f'instances_{split}.json').write_text(text, encoding='utf-8')


def _annotation(number: int, image: int, label: int, mask: np.ndarray) -> dict:
    rows, columns = np.nonzero(mask)
    x, y = int(columns.min()), int(rows.min())
    code = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return dict(
        id=number,
        image_id=image,
        category_id=label + 1,
        bbox=[x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1],
        area=len(rows),
        iscrowd=0,
        segmentation=dict(size=list(mask.shape), counts=code['counts'].decode('ascii')),
    )
