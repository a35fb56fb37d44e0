"""The eight classes, each an outline that stays itself under rotation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

CLASSES = ('disk', 'square', 'triangle', 'star', 'cross', 'ring', 'crescent', 'heart')
"""The kinds of objects; a label is a place in it."""

PALETTE = [
    (230, 60, 60),
    (60, 130, 230),
    (60, 180, 75),
    (240, 200, 40),
    (150, 70, 200),
    (70, 200, 210),
    (240, 130, 40),
    (230, 90, 170),
]
"""One RGB colour per class, for drawing results; the objects' own colours are random."""

Outline = tuple[np.ndarray, ...]
"""Closed polygons, each float (n, 2) as x, y, filled by the even-odd rule."""


def _arc(
    radius: float, start: float = 0.0, stop: float = 2 * np.pi, points: int = 40
) -> np.ndarray:
    angle = np.linspace(start, stop, points)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _regular(radii: Sequence[float] | np.ndarray) -> np.ndarray:
    """A polygon with vertices at equal angles and the given radii."""
    angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.asarray(radii)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _cross(length: float, half_width: float) -> np.ndarray:
    a, b = length, half_width
    corners = [(a, -b), (a, b), (b, b), (b, a), (-b, a), (-b, b)]
    return np.array(corners + [(-x, -y) for x, y in corners])


def _crescent(radius: float, bite: float, shift: float) -> np.ndarray:
    """A disk without the disk of radius ``bite`` whose centre lies ``shift`` to the right."""
    x = (radius**2 - bite**2 + shift**2) / (2 * shift)
    y = np.sqrt(radius**2 - x**2)
    outer = np.arctan2(y, x)
    inner = np.arctan2(y, x - shift)
    outside = _arc(radius, outer, 2 * np.pi - outer)
    inside = _arc(bite, 2 * np.pi - inner, inner) + (shift, 0)
    return np.concatenate([outside, inside])


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, y + 2.5], axis=1) / 16.5


OUTLINES: dict[str, Outline] = {
    'disk': (_arc(0.86),),
    'square': (_regular([1.0] * 4),),
    'triangle': (_regular([1.08] * 3),),
    'star': (_regular([1.08, 0.45] * 5),),
    'cross': (_cross(0.98, 0.3),),
    'ring': (_arc(0.94), _arc(0.5)),
    'crescent': (_crescent(1.0, 0.82, 0.52),),
    'heart': (_heart(),),
}
"""Class name to its outline around the origin, about 2 units across."""


def place(
    outline: Outline, center: ArrayLike, radius: float, angle: float, aspect: float = 1.0
) -> Outline:
    """Squeezes an outline in y by ``aspect``, turns it by ``angle`` (radians), scales and moves it.

    ``center`` and ``radius`` are in pixels; pixel (0, 0) has its centre at (0, 0).
    """
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return tuple(radius * (part * (1.0, aspect)) @ turn + np.asarray(center) for part in outline)


def blob(rng: np.random.Generator) -> Outline:
    """A random lump that belongs to no class: clutter."""
    return (_regular(rng.uniform(0.35, 1.0, size=rng.integers(4, 8))),)


def bar(half_width: float) -> Outline:
    """A straight bar 2 units long and ``2 * half_width`` wide: clutter and occluder."""
    w = half_width
    return (np.array([(-1.0, -w), (1.0, -w), (1.0, w), (-1.0, w)]),)
