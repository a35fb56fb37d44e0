"""The same images side by side: the ground truth, and what each arm's detector found."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageColor, ImageDraw, ImageFont

from rethink_det.files import replacing
from rethink_det.report.sample_pictures import Objects, Picture, Rle, SamplePictures

CELL = 200
"""Pixels of the longer side of an image in the sheet."""
CROWD = 6
"""Scores are left out of the labels of an image with more objects; ``alt`` has them."""
GAP, HEAD = 6, 26
TINT = 0.45
"""How much of a mask's colour is seen, and not the image."""
TRUTH = 'ground truth'
# By class, in turns: bright, and apart from one another on most photographs.
COLOURS = (
    '#ffd21f', '#19d3ff', '#ff5470', '#7dff5a', '#ff9a2e', '#c78bff', '#5a9bff', '#ff7ddc',
    '#1fffb0', '#f4f4f4',
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One image of the sheet, and in ``alt`` the same in words."""

    image: Image.Image
    alt: str

    @cached_property
    def uri(self) -> str:
        """The image inside a text, for HTML."""
        buffer = io.BytesIO()
        self.image.save(buffer, 'JPEG', quality=70, subsampling='4:2:2', optimize=True)
        return f'data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}'


@dataclass(frozen=True)
class Sheet:
    """A table of images: ``columns`` are the ground truth and arms, ``rows`` images by name."""

    columns: list[str]
    rows: list[tuple[str, list[Cell | None]]]
    note: str

    def save(self, path: Path) -> Path:
        """Write it as one PNG file, on white."""
        sides = [max(c.image.height for c in cells if c) + GAP for _, cells in self.rows]
        size = len(self.columns) * (CELL + GAP) + GAP, HEAD + sum(sides)
        page = Image.new('RGB', size, 'white')
        draw, font = ImageDraw.Draw(page), _font(13)
        for column, name in enumerate(self.columns):
            left = GAP + column * (CELL + GAP)
            draw.text((left, 6), name, '#1d2430', font)
            for row, (_, cells) in enumerate(self.rows):
                cell = cells[column]
                if cell is not None:
                    page.paste(cell.image, (left, HEAD + sum(sides[:row])))
        with replacing(path) as file:
            page.save(file, 'PNG')
        return path


def contact_sheet(found: Mapping[str, tuple[int, SamplePictures]]) -> Sheet | None:
    """Draw it.

    Args:
        found: By arm, in the order to show, a seed and the pictures of its run. The images are
            those of the first arm; an arm that has not seen one leaves its place empty.

    Returns:
        The sheet, or None without any arm.
    """
    if not found:
        return None
    _, first = next(iter(found.values()))
    seen = {arm: {one.id: one for one in sheet.images} for arm, (_, sheet) in found.items()}
    masks = any(i.found.masks is not None for images in seen.values() for i in images.values())
    rows = []
    for one in first.images:
        # Masks only hide the object where none are compared.
        truth = one.truth if masks else replace(one.truth, masks=None)
        cells: list[Cell | None] = [_cell(one, truth, first.classes, TRUTH)]
        for arm, (_, sheet) in found.items():
            mine = seen[arm].get(one.id)
            cells.append(_cell(mine, mine.found, sheet.classes, arm) if mine else None)
        rows.append((one.id, cells))
    seeds = sorted({seed for seed, _ in found.values()})
    note = (
        f'The first {len(rows)} validation images with objects; detections of score '
        f'{first.threshold:g} or more, seed {", ".join(map(str, seeds))}. A colour is a class.'
    )
    return Sheet([TRUTH, *found], rows, note)


def _cell(picture: Picture, objects: Objects, classes: Sequence[str], who: str) -> Cell:
    scale = CELL / max(picture.width, picture.height)
    size = max(1, round(scale * picture.width)), max(1, round(scale * picture.height))
    names = [classes[i] if i < len(classes) else str(i) for i in objects.labels]
    scores: Sequence[float | None] = objects.scores or [None] * len(names)
    said = [n if s is None else f'{n} {s:.2f}' for n, s in zip(names, scores, strict=True)]
    alt = f'{who}, image {picture.id}: {", ".join(said) or "nothing"}'
    image = picture.image.resize(size, Image.Resampling.LANCZOS)
    labels = said if len(said) <= CROWD else names
    return Cell(_drawn(image, objects, labels, scale), alt) if said else Cell(image, alt)


def _drawn(image: Image.Image, objects: Objects, said: Sequence[str], scale: float) -> Image.Image:
    """The image with masks, boxes and labels of at least one object."""
    colours = [COLOURS[label % len(COLOURS)] for label in objects.labels]
    if objects.masks:
        masks = np.stack([_mask(rle, image.size) for rle in objects.masks])
        image = _tinted(image, masks, colours)
    corners = np.sort(np.array(objects.boxes, np.float32).reshape(-1, 2, 2), axis=1)
    boxes = scale * corners.reshape(-1, 4)
    draw, font = ImageDraw.Draw(image), _font(11)
    for box, colour in zip(boxes.astype(int).tolist(), colours, strict=True):
        draw.rectangle(box, outline=colour, width=2)
    for (left, top, *_), text, colour in reversed(
        [*zip(boxes.tolist(), said, colours, strict=True)]
    ):
        width = draw.textlength(text, font)
        place = max(1, min(left + 1, image.width - width - 2)), max(0, top - 13)
        draw.text(place, text, colour, font, stroke_width=2, stroke_fill='black')
    return image


def _tinted(image: Image.Image, masks: np.ndarray, colours: Sequence[str]) -> Image.Image:
    """The image with masks, bool of (N, height, width), in their colours; the first on top."""
    pixels = np.asarray(image, np.float32)
    paint = pixels.copy()
    for mask, colour in reversed([*zip(masks, colours, strict=True)]):
        paint[mask] = ImageColor.getrgb(colour)
    mixed = pixels * (1 - TINT) + paint * TINT
    return Image.fromarray(mixed.astype(np.uint8))


def _mask(rle: Rle, size: tuple[int, int]) -> np.ndarray:
    """(height, width) of ``size``, bool."""
    mask = Image.fromarray(255 * rle.decoded())
    return np.asarray(mask.resize(size, Image.Resampling.BILINEAR)) > 127


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with matplotlib."""
    return ImageFont.truetype(findfont('DejaVu Sans'), size)
