"""An image under construction that remembers which object owns each pixel."""

import cv2
import numpy as np

from rethink_det.datasets.shapes.outlines import Outline
from rethink_det.datasets.shapes.paint import Paint, background

SUPERSAMPLE = 4
NOBODY = -1


class Canvas:
    """A square RGB image and its owner map.

    Attributes:
        image: float32 (size, size, 3), 0..255.
        owner: int16 (size, size), number of the visible object, or ``NOBODY``.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.image = background(rng, size)
        self.owner = np.full((size, size), NOBODY, dtype=np.int16)

    @property
    def size(self) -> int:
        """Width and height in pixels."""
        return len(self.image)

    def covers(self, outline: Outline) -> tuple[tuple[slice, slice], np.ndarray]:
        """The part of each pixel that an outline in pixel coordinates covers.

        Returns:
            The window (rows, columns) of the canvas it touches, and the coverage in it,
            float32 in 0..1. The window is empty if the outline lies outside the canvas.
        """
        points = np.concatenate(outline)
        low = np.clip(np.floor(points.min(axis=0)).astype(int) - 1, 0, self.size)
        high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 2, 0, self.size)
        window = (slice(low[1], high[1]), slice(low[0], high[0]))
        width, height = high - low
        if width <= 0 or height <= 0:
            return window, np.zeros((max(height, 0), max(width, 0)), dtype=np.float32)
        fine = np.zeros((height * SUPERSAMPLE, width * SUPERSAMPLE), dtype=np.uint8)
        corners = [
            np.round(((part - low + 0.5) * SUPERSAMPLE - 0.5) * 16).astype(np.int32)
            for part in outline
        ]
        cv2.fillPoly(fine, corners, 255, shift=4)
        coarse = cv2.resize(fine, (int(width), int(height)), interpolation=cv2.INTER_AREA)
        return window, coarse.astype(np.float32) / 255

    def draw(self, outline: Outline, paint: Paint, owner: int = NOBODY) -> None:
        """Paints an outline over what is there.

        A pixel belongs to ``owner`` from here on if at least half of it is covered.
        """
        window, cover = self.covers(outline)
        if not cover.size:
            return
        y, x = np.ogrid[window]
        patch = self.image[window]
        patch += cover[..., None] * (paint(x, y) - patch)
        self.owner[window][cover >= 0.5] = owner

    def mean_color(self, outline: Outline) -> np.ndarray:
        """Mean RGB of what an outline would cover (of the whole image if it covers nothing)."""
        window, cover = self.covers(outline)
        patch = self.image[window] if cover.size else self.image
        return patch.mean(axis=(0, 1))

    def finish(self, rng: np.random.Generator, noise: float) -> np.ndarray:
        """The image with Gaussian sensor noise of that standard deviation, uint8 RGB."""
        grain = rng.standard_normal(self.image.shape, dtype=np.float32) * noise
        return np.clip(np.round(self.image + grain), 0, 255).astype(np.uint8)
