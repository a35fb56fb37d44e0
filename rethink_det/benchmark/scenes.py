"""Scenes of ellipses: COCO annotations, and what a detector that is sometimes right found."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rethink_det.detection.evaluation.rle import encode_masks
from rethink_det.errors import UserError

PREDICTIONS = 80
OBJECTS = 7  # COCO val2017 has 7.4 in an image, of 80 classes
CLASSES = 80
HEIGHT, WIDTH = 480, 640
NAMES = [str(number) for number in range(CLASSES)]
_POOL = 400  # ellipses, of which each image has some: masks of all images would not fit


def scenes(images: int, with_masks: bool, encoded: bool = False) -> tuple[dict, list[dict]]:
    """Ellipses of all sizes, annotated as polygons; most predictions compete for their classes.

    Args:
        images: How many.
        with_masks: Whether predictions have masks: bool, (80, 480, 640) per image.
        encoded: Whether these are RLEs already, 80 per image.

    Returns:
        tuple: COCO annotations, and per image what a metric's ``process`` takes.

    Raises:
        UserError: There would be no image.
    """
    if images < 1:
        raise UserError(f'There must be at least 1 image, got {images}.')
    rng = np.random.default_rng(0)
    centre = rng.uniform((0, 0), (WIDTH, HEIGHT), (_POOL, 2))
    radius = np.exp(rng.uniform(np.log(5), np.log(150), (_POOL, 2)))
    shapes: dict[str, Any] = {'bboxes': _boxes(centre, radius)}
    if with_masks:
        masks = _masks(centre, radius)
        as_rle = encode_masks(masks.numpy(), shapes['bboxes'].numpy()) if encoded else None
        shapes['masks'] = as_rle or masks
    annotations: list[dict] = []
    samples: list[dict] = []
    for image in range(images):
        first = rng.integers(_POOL - PREDICTIONS)
        objects = rng.choice(PREDICTIONS, OBJECTS, replace=False)
        labels = _labels(rng, objects)
        for one in objects:
            size = radius[first + one]
            place = centre[first + one] + rng.normal(0, 0.1, 2) * size
            number = {'image_id': image, 'id': len(annotations) + 1}
            annotations.append({**_annotation(place, size, labels[one]), **number})
        predictions = {name: shape[first : first + PREDICTIONS] for name, shape in shapes.items()}
        predictions['scores'] = torch.from_numpy(rng.random(PREDICTIONS)).float()
        predictions['labels'] = torch.from_numpy(labels)
        samples.append(
            {'img_id': image, 'ori_shape': (HEIGHT, WIDTH), 'pred_instances': predictions}
        )
    return _truth(images, annotations), samples


def _labels(rng: np.random.Generator, objects: np.ndarray) -> np.ndarray:
    labels = rng.integers(0, CLASSES, PREDICTIONS)
    competing = rng.random(PREDICTIONS) < 0.7
    competing[objects] = False
    labels[competing] = rng.choice(labels[objects], competing.sum())
    return labels


def _boxes(centre: np.ndarray, radius: np.ndarray) -> Tensor:
    low, high = centre - radius, centre + radius
    return torch.from_numpy(np.hstack((low.clip(0), high.clip(0, (WIDTH, HEIGHT))))).float()


def _masks(centre: np.ndarray, radius: np.ndarray) -> Tensor:
    x, y = torch.arange(WIDTH) + 0.5, torch.arange(HEIGHT)[:, None] + 0.5
    ellipses = zip(centre, radius, strict=True)
    return torch.stack(
        [((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1 for (cx, cy), (a, b) in ellipses]
    )


def _annotation(centre: np.ndarray, radius: np.ndarray, label: int) -> dict:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline = centre + radius * np.stack((np.cos(angle), np.sin(angle)), 1)
    outline = outline.clip(0, (WIDTH, HEIGHT))
    return {
        'category_id': int(label),
        'bbox': [*outline.min(0).tolist(), *np.ptp(outline, axis=0).tolist()],
        'area': float(np.pi * radius.prod()),
        'iscrowd': 0,
        'segmentation': [outline.ravel().tolist()],
    }


def _truth(images: int, annotations: list[dict]) -> dict:
    size = {'width': WIDTH, 'height': HEIGHT, 'file_name': ''}
    return {
        'images': [{'id': number, **size} for number in range(images)],
        'categories': [{'id': number, 'name': name} for number, name in enumerate(NAMES)],
        'annotations': annotations,
    }
