"""A picture of a batch as a network is handed it, with its boxes or labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from rethink_det.files import replacing

SHOWN, CELL, GAP = 8, 320, 8
_COLOUR = '#ff2d55'


def save_sheet(batch: Mapping, classes: Sequence[str], path: Path, bgr: bool) -> None:
    """Write the first images of a batch side by side, as PNG.

    Args:
        batch: ``inputs``, uint8 images (3, H, W), and ``data_samples`` of mmdet with
            ``gt_instances``, or ``gt_label``.
        classes: Names in label order; labels without a name are shown by number.
        path: The file.
        bgr: Whether the channels are blue, green, red.
    """
    cells = []
    for place, image in enumerate(batch['inputs'][:SHOWN]):
        boxes, names = _objects(batch, place)
        named = [classes[i] if i < len(classes) else str(i) for i in names]
        cells.append(_cell(image.flip(0) if bgr else image, boxes, named))
    sheet = Image.new('RGB', (len(cells) * (CELL + GAP) + GAP, CELL + 2 * GAP), 'white')
    for place, cell in enumerate(cells):
        sheet.paste(cell, (GAP + place * (CELL + GAP), GAP))
    with replacing(path) as file:
        sheet.save(file, 'PNG')


def _objects(batch: Mapping, place: int) -> tuple[list, list[int]]:
    if 'data_samples' not in batch:
        return [], [int(batch['gt_label'][place])]
    found: Any = batch['data_samples'][place].gt_instances
    boxes = getattr(found.bboxes, 'tensor', found.bboxes)
    return boxes.tolist(), found.labels.tolist()


def _cell(image: Tensor, boxes: Sequence, names: Sequence[str]) -> Image.Image:
    """One image, its longer side :data:`CELL` pixels."""
    cell = Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy()))
    scale = CELL / max(cell.size)
    cell = cell.resize([max(1, round(side * scale)) for side in cell.size])
    draw = ImageDraw.Draw(cell)
    for box in boxes:
        draw.rectangle([value * scale for value in box], outline=_COLOUR, width=2)
    corners = [(box[0] * scale + 3, box[1] * scale + 1) for box in boxes] or [(3, 1)]
    for corner, name in zip(corners, names, strict=True):
        draw.text(corner, name, fill=_COLOUR)
    return cell
