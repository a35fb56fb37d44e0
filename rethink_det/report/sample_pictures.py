"""What ``sheet.json`` holds: a few validation images, with what is there and what was found."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from hotcoco import mask as mask_tools
from PIL import Image

from rethink_det.report.schema import within

MOST_SIDE = 100_000
"""Pixels of the longer side of an image."""
MOST_DECODED = 16_000_000
"""Pixels of an image or mask that is decoded: a picture of the sheet is a small one."""
_FAR = 1e7


@dataclass(frozen=True)
class Rle:
    """A mask, as COCO compresses it: ``size`` is (height, width).

    Raises:
        ValueError: It is no such mask, or of too many pixels.
    """

    size: tuple[int, ...] = field(metadata=within(1, MOST_SIDE))
    counts: str

    def __post_init__(self) -> None:
        if len(self.size) != 2 or self.size[0] * self.size[1] > MOST_DECODED:
            raise ValueError(f'{self.size} is no height and width of a small mask')
        self.decoded()

    def decoded(self) -> np.ndarray:
        """(height, width), uint8 of 0 and 1. Checked run by run, which pycocotools does not do."""
        return mask_tools.decode({'size': list(self.size), 'counts': self.counts.encode()})


@dataclass(frozen=True)
class Objects:
    """Objects of an image, in its whole size.

    Attributes:
        boxes: ``x1, y1, x2, y2`` in pixels, each.
        labels: Places of their classes.
        scores: Of detections, the surest first; None of the ground truth.
        masks: None where there are none.

    Raises:
        ValueError: They are not as many as the boxes, or a box has not four numbers.
    """

    boxes: tuple[tuple[float, ...], ...] = field(metadata=within(-_FAR, _FAR))
    labels: tuple[int, ...] = field(metadata=within(0, _FAR))
    scores: tuple[float, ...] | None = field(default=None, metadata=within(0, 1))
    masks: tuple[Rle, ...] | None = None

    def __post_init__(self) -> None:
        if any(len(box) != 4 for box in self.boxes):
            raise ValueError('a box has not four numbers')
        for name in ('labels', 'scores', 'masks'):
            values: Sequence | None = getattr(self, name)
            if values is not None and len(values) != len(self.boxes):
                raise ValueError(f'{len(self.boxes)} boxes, and {len(values)} {name}')


@dataclass(frozen=True)
class Picture:
    """An image with its objects.

    Attributes:
        id: Of the image in its data set.
        width: Of the whole image, in pixels.
        height: Likewise.
        jpeg: The image, mostly a smaller one, in base64.
        truth: What is there.
        found: What the detector found.

    Raises:
        ValueError: ``jpeg`` is none.
    """

    id: str
    width: int = field(metadata=within(1, MOST_SIDE))
    height: int = field(metadata=within(1, MOST_SIDE))
    jpeg: str
    truth: Objects
    found: Objects

    def __post_init__(self) -> None:
        try:
            _ = self.image
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"'jpeg' is no image that can be read ({error})") from None

    @cached_property
    def image(self) -> Image.Image:
        """The decoded JPEG, RGB."""
        content = base64.b64decode(self.jpeg, validate=True)
        image = Image.open(io.BytesIO(content), formats=['JPEG'])
        if image.width * image.height > MOST_DECODED:
            raise ValueError(f"'jpeg' has {image.width} x {image.height} pixels")
        return image.convert('RGB')


@dataclass(frozen=True)
class SamplePictures:
    """The content of ``sheet.json``.

    Attributes:
        classes: Names, by label.
        threshold: Score below which detections were left out.
        images: In the order to show.
    """

    classes: tuple[str, ...]
    threshold: float = field(metadata=within(0, 1))
    images: tuple[Picture, ...]
