"""One generator, two views: a crop around one object, and a picture of several."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rethink_det.datasets.shapes.canvas import NOBODY, Canvas
from rethink_det.datasets.shapes.outlines import CLASSES, OUTLINES, Outline, bar, blob, place
from rethink_det.datasets.shapes.paint import BRIGHT, MUTED, random_paint

CROP_SIZE = 32
IMAGE_SIZE = 128
MOST_OBJECTS = 6
LEAST_PIXELS = 30
"""Objects with fewer visible pixels are not annotated."""

_CROP_RADIUS = (9.0, 15.5)
_IMAGE_RADIUS = (8.5, 28.0)


class Picture(NamedTuple):
    """A detection image: RGB uint8 (size, size, 3), labels (n,), visible masks (n, size, size).

    Attributes:
        image: RGB, uint8 (size, size, 3).
        labels: Places in ``CLASSES``, (n,).
        masks: What is seen of each object, bool (n, size, size).
    """

    image: np.ndarray
    labels: np.ndarray
    masks: np.ndarray


def draw_crop(rng: np.random.Generator, label: int) -> np.ndarray:
    """One object of class ``label`` with clutter, neighbours and occluders, uint8 (32, 32, 3)."""
    canvas = Canvas(rng, CROP_SIZE)
    radius = rng.uniform(*_CROP_RADIUS)
    slack = 1.5 + 0.5 * max(0.0, CROP_SIZE / 2 - radius)
    center = (CROP_SIZE - 1) / 2 + rng.uniform(-slack, slack, size=2)
    _clutter(canvas, rng, count=int(rng.integers(1, 4)))
    if rng.random() < 0.4:
        _neighbour(canvas, rng, center, radius)
    _paint(canvas, rng, _shape(rng, label, center, radius), BRIGHT)
    if rng.random() < 0.4:
        _bar_across(canvas, rng, center, radius)
    if rng.random() < 0.15:
        _neighbour(canvas, rng, center, radius)
    return canvas.finish(rng, noise=rng.uniform(3, 9))


def draw_picture(rng: np.random.Generator) -> Picture:
    """One to six objects that may hide parts of each other, with clutter and occluders."""
    canvas = Canvas(rng, IMAGE_SIZE)
    _clutter(canvas, rng, count=int(rng.integers(3, 9)))
    labels = rng.integers(len(CLASSES), size=rng.integers(1, MOST_OBJECTS + 1))
    whole: list[int] = []  # pixels of each placed object before anything hid it, 0: no room
    for number, label in enumerate(labels):
        outline = _find_room(canvas, rng, int(label), whole)
        if outline is None:
            whole.append(0)
            continue
        _paint(canvas, rng, outline, BRIGHT, owner=number)
        whole.append(int((canvas.owner == number).sum()))
    for _ in range(rng.integers(0, 3)):
        center = rng.uniform(0, IMAGE_SIZE, size=2)
        _bar_across(canvas, rng, center, rng.uniform(8, 18))
    image = canvas.finish(rng, noise=rng.uniform(3, 9))
    masks = canvas.owner == np.arange(len(labels))[:, None, None]
    seen = masks.sum(axis=(1, 2)) >= LEAST_PIXELS
    if not seen.any():
        return draw_picture(rng)
    return Picture(image, labels[seen], masks[seen])


def _shape(rng: np.random.Generator, label: int, center: ArrayLike, radius: float) -> Outline:
    angle, aspect = rng.uniform(0, 2 * np.pi), rng.uniform(0.85, 1.0)
    return place(OUTLINES[CLASSES[label]], center, radius, angle, aspect)


def _paint(
    canvas: Canvas,
    rng: np.random.Generator,
    outline: Outline,
    tone: tuple[float, float],
    owner: int = NOBODY,
) -> None:
    paint = random_paint(rng, tone, canvas.mean_color(outline))
    canvas.draw(outline, paint, owner)


def _clutter(canvas: Canvas, rng: np.random.Generator, count: int) -> None:
    """Lumps and bars of no class, mostly small, under the objects."""
    for _ in range(count):
        center = rng.uniform(0, canvas.size, size=2)
        angle = rng.uniform(0, np.pi)
        if rng.random() < 0.5:
            outline = place(blob(rng), center, rng.uniform(2, 6), angle)
        else:
            outline = place(bar(rng.uniform(0.05, 0.15)), center, rng.uniform(6, 16), angle)
        _paint(canvas, rng, outline, MUTED)


def _bar_across(canvas: Canvas, rng: np.random.Generator, center: ArrayLike, radius: float) -> None:
    """A bar two to four pixels wide that hides a strip of what lies at ``center``."""
    middle = np.asarray(center) + rng.uniform(-0.6, 0.6, size=2) * radius
    half_width = rng.uniform(1.0, 2.0) / (1.2 * radius)
    angle = rng.uniform(0, np.pi)
    _paint(canvas, rng, place(bar(half_width), middle, 1.2 * radius, angle), MUTED)


def _neighbour(canvas: Canvas, rng: np.random.Generator, center: ArrayLike, radius: float) -> None:
    """Part of another object of any class, looking in over the border of a crop."""
    other = rng.uniform(*_CROP_RADIUS)
    away = rng.uniform(0, 2 * np.pi)
    distance = rng.uniform(0.85, 1.15) * (radius + other)
    middle = np.asarray(center) + distance * np.array([np.cos(away), np.sin(away)])
    _paint(canvas, rng, _shape(rng, int(rng.integers(len(CLASSES))), middle, other), BRIGHT)


def _find_room(
    canvas: Canvas, rng: np.random.Generator, label: int, whole: list[int]
) -> Outline | None:
    """A place that hides at most 45 % of any object before it; None after 20 failed tries."""
    for _ in range(20):
        radius = np.exp(rng.uniform(*np.log(_IMAGE_RADIUS)))
        center = rng.uniform(0.5 * radius, canvas.size - 0.5 * radius, size=2)
        outline = _shape(rng, label, center, radius)
        window, cover = canvas.covers(outline)
        hidden = cover >= 0.5
        remaining = np.bincount(canvas.owner[canvas.owner >= 0], minlength=len(whole))
        lost = canvas.owner[window][hidden]
        remaining = remaining - np.bincount(lost[lost >= 0], minlength=len(whole))
        if np.all(remaining >= 0.55 * np.asarray(whole)):
            return outline
    return None
