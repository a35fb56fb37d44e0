"""Arms are told apart by whoever looks at them: by colour, also without red or green, and form."""

from itertools import combinations

import numpy as np
import pytest

from rethink_det.arms import ARMS, STAGES
from rethink_det.report.plots.style import INK, OTHER_STYLE, marker_svg, on_page, style_of

# Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision
# Deficiency, IEEE TVCG 15(6), 2009: severity 1.0, for linear RGB.
SEEN = {
    'all': np.eye(3),
    'protanopia': [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    'deuteranopia': [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    'tritanopia': [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}  # fmt: skip
XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
WHITE = (0.9505, 1.0, 1.089)
CARDS = {'light': '#ffffff', 'dark': '#1a1e25'}
DARK_INK = '#e6e9ee'
APART = 14.0
"""CIE 1976 colour difference; about 2.3 is just noticed side by side."""


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x = np.asarray(XYZ) @ rgb / WHITE
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one, other, eye):
    return np.linalg.norm(
        np.subtract(*(lab(np.clip(SEEN[eye] @ linear(c), 0, 1)) for c in (one, other)))
    )


def contrast(one, other):
    """Source: WCAG 2, relative luminance."""
    low, high = sorted(float(np.dot(XYZ[1], linear(colour))) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def shown(arm, page):
    colour = style_of(arm)[0]
    return DARK_INK if colour == INK and page == 'dark' else colour


@pytest.mark.parametrize('stage', STAGES)
def test_every_arm_has_a_style_and_every_marker_one_arm(stage):
    styles = [style_of(name) for name in ARMS.names(stage)]
    assert OTHER_STYLE not in styles
    assert len({marker for _, marker in styles}) == len(styles)


@pytest.mark.parametrize('page', CARDS)
@pytest.mark.parametrize('eye', SEEN)
@pytest.mark.parametrize('stage', STAGES)
def test_colours_are_apart_for_every_eye(stage, eye, page):
    for one, other in combinations(ARMS.names(stage), 2):
        seen = difference(shown(one, page), shown(other, page), eye)
        assert seen >= APART, f'{one} and {other}: {seen:.1f}'


@pytest.mark.parametrize('page', CARDS)
def test_colours_stand_out_from_the_page(page):
    for arm in ARMS:
        assert contrast(shown(arm.name, page), CARDS[page]) > 2.2


def test_the_difference_is_that_of_the_literature():
    assert difference('#000000', '#ffffff', 'all') == pytest.approx(100, abs=0.1)
    # Pure red and a green of that lightness: one colour to a deuteranope, nearly.
    assert (
        difference('#c00000', '#606000', 'deuteranopia')
        < difference('#c00000', '#606000', 'all') / 2
    )


def test_a_marker_is_a_small_picture_of_that_form():
    square = marker_svg('unpruned')
    assert square.count('1.00') >= 4 and on_page(INK) in square
    assert len({marker_svg(arm.name) for arm in ARMS}) >= 7
    assert on_page('#0072b2') == '#0072b2'
