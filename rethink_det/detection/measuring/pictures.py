"""A few images of a data set, what is on them, and what a detector finds there."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.fileio import get
from PIL import Image
from pycocotools import mask as mask_tools
from torch import Tensor

from rethink_det.detection.datasets.ids import rank
from rethink_det.detection.evaluation.rle import encode_masks
from rethink_det.errors import UserError

SIDE = 320
"""Pixels of the longer side of a stored image, at most."""

Objects = dict[str, list]
"""``boxes`` (x1, y1, x2, y2 in pixels of the whole image), ``labels``, for detections ``scores``,
and ``masks`` (RLE as text) where there are any; the surest first."""


def first_images(dataset: BaseDataset, count: int) -> list[int]:
    """Positions of the images of lowest id on which there is an object, at most ``count``."""
    found = []
    for position in range(len(dataset)):
        info = dataset.get_data_info(position)
        if _counted(info):
            found.append((rank(info['img_id']), position))
    return [position for _, position in sorted(found)[:count]]


def _counted(info: Mapping) -> list[Mapping]:
    return [one for one in info.get('instances', ()) if not one.get('ignore_flag')]


def picture(info: Mapping) -> dict[str, Any]:
    """An image and its ground truth.

    Args:
        info: As ``get_data_info`` of mmdet's data sets gives it.

    Returns:
        ``id``, ``width`` and ``height`` of the whole image, ``jpeg`` (base64, not longer than
        :data:`SIDE`) and ``truth``.
    """
    content = np.frombuffer(get(info['img_path']), np.uint8)
    pixels = cv2.imdecode(content, cv2.IMREAD_COLOR)  # turned as mmcv turns it for the detector
    if pixels is None:
        raise UserError(f'{info["img_path"]} is no image that can be read.')
    image = Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    width, height = image.size
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=88)
    return {
        'id': str(info['img_id']),
        'width': width,
        'height': height,
        'jpeg': base64.b64encode(buffer.getvalue()).decode(),
        'truth': _truth(_counted(info), height, width),
    }


def _truth(instances: Sequence[Mapping], height: int, width: int) -> Objects:
    objects: Objects = {
        'boxes': [_rounded(one['bbox']) for one in instances],
        'labels': [int(one['bbox_label']) for one in instances],
    }
    if all('mask' in one for one in instances):
        objects['masks'] = [_text(_rle(one['mask'], height, width)) for one in instances]
    return objects


def detections(found: Any, threshold: float) -> Objects:
    """What a detector gave for an image.

    Args:
        found: ``pred_instances`` of mmdet: ``bboxes`` (n, 4), ``scores``, ``labels`` and maybe
            ``masks`` (n, H, W), all in the whole image.
        threshold: Less likely ones are left out.
    """
    order = found.scores.argsort(descending=True)
    found = found[order[found.scores[order] >= threshold]].cpu()
    boxes = found.bboxes.numpy()
    objects: Objects = {
        'boxes': [_rounded(box) for box in boxes],
        'labels': found.labels.tolist(),
        'scores': [round(score, 4) for score in found.scores.tolist()],
    }
    if isinstance(found.get('masks'), Tensor):
        objects['masks'] = [_text(rle) for rle in encode_masks(found.masks.numpy(), boxes)]
    return objects


def _rle(mask: Mapping | Sequence, height: int, width: int) -> dict:
    """Compressed RLE of a mask in any of COCO's forms."""
    if isinstance(mask, Mapping) and not isinstance(mask['counts'], list):
        return dict(mask)
    encoded = mask_tools.frPyObjects(mask, height, width)
    return mask_tools.merge(encoded) if isinstance(encoded, list) else encoded


def _text(rle: Mapping) -> dict:
    counts = rle['counts']
    counts = counts.decode() if isinstance(counts, bytes) else counts
    return {'size': list(rle['size']), 'counts': counts}


def _rounded(box: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(value), 1) for value in box]
