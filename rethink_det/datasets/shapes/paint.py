"""Colours, textures and backgrounds, all independent of the class.

A paint is a function of pixel coordinates, so that the same one fills a small patch
or a whole image: ``paint(x, y) -> float32 (h, w, 3)`` with values in 0..255.
"""

from collections.abc import Callable

import cv2
import numpy as np

Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]


BRIGHT = (105.0, 210.0)
"""Mean of R, G and B of objects; hue is free."""
MUTED = (55.0, 145.0)
"""Mean of R, G and B of clutter."""
DARK = (20.0, 110.0)
"""Mean of R, G and B of backgrounds."""


def random_color(
    rng: np.random.Generator, tone: tuple[float, float], behind: np.ndarray | None = None
) -> np.ndarray:
    """A random RGB colour, float (3,), whose mean lies in ``tone``.

    If ``behind`` is given, the colour is at least 50 (Euclidean, 0..255 scale) from it.
    """
    while True:
        color = rng.uniform(0, 255, size=3)
        apart = behind is None or np.linalg.norm(color - behind) >= 50
        if apart and tone[0] <= color.mean() <= tone[1]:
            return color


def random_paint(rng: np.random.Generator, tone: tuple[float, float], behind: np.ndarray) -> Paint:
    """A plain, shaded, striped, checked or blotchy paint that differs from ``behind``.

    Args:
        rng: Source of all randomness.
        tone: Range of the mean of R, G and B of the paint's two colours.
        behind: Mean RGB colour of what will be covered, (3,).
    """
    first = random_color(rng, tone, behind)
    second = first + rng.uniform(0.2, 0.6) * (random_color(rng, tone, behind) - first)
    weight = _WEIGHTS[rng.integers(len(_WEIGHTS))](rng)

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        mix = weight(x, y)[..., None].astype(np.float32)
        return (first + mix * (second - first)).astype(np.float32)

    return paint


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A smooth random field between two colours, float32 (size, size, 3)."""
    cells = int(rng.integers(2, 5)) + size // 48
    field = cv2.resize(
        rng.uniform(0, 1, size=(cells, cells)).astype(np.float32),
        (size, size),
        interpolation=cv2.INTER_LINEAR,
    )
    first = random_color(rng, DARK)
    second = first + 0.6 * (random_color(rng, DARK) - first)
    return (first + field[..., None] * (second - first)).astype(np.float32)


_Pattern = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From the coordinates of pixels to a weight of each."""


def _wave(rng: np.random.Generator) -> _Pattern:
    """A sine along a random direction, with a period of 4 to 12 pixels."""
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
    rate = 2 * np.pi / rng.uniform(4, 12)
    along = rate * np.cos(angle), rate * np.sin(angle)
    return lambda x, y: np.sin(along[0] * x + along[1] * y + phase)


def _plain(rng: np.random.Generator) -> _Pattern:
    return lambda x, y: np.zeros(np.broadcast_shapes(x.shape, y.shape))


def _shaded(rng: np.random.Generator) -> _Pattern:
    angle = rng.uniform(0, 2 * np.pi)
    steep = rng.uniform(8, 20)

    def weight(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        along = np.cos(angle) * (x - x.mean()) + np.sin(angle) * (y - y.mean())
        return 1 / (1 + np.exp(-4 * along / steep))

    return weight


def _striped(rng: np.random.Generator) -> _Pattern:
    wave = _wave(rng)
    return lambda x, y: np.clip(0.5 + 2 * wave(x, y), 0, 1)


def _checked(rng: np.random.Generator) -> _Pattern:
    one, other = _wave(rng), _wave(rng)
    return lambda x, y: np.clip(0.5 + 4 * one(x, y) * other(x, y), 0, 1)


def _blotchy(rng: np.random.Generator) -> _Pattern:
    waves = [_wave(rng) for _ in range(4)]
    return lambda x, y: np.clip(0.5 + 0.4 * sum(wave(x, y) for wave in waves), 0, 1)


_WEIGHTS = (_plain, _shaded, _striped, _checked, _blotchy)
