"""Outlines keep their area however they are turned."""

import numpy as np
import pytest

from rethink_det.datasets.shapes import CLASSES
from rethink_det.datasets.shapes.canvas import Canvas
from rethink_det.datasets.shapes.outlines import OUTLINES, place


@pytest.mark.parametrize('name', CLASSES)
def test_turning_an_outline_keeps_its_area(name):
    canvas = Canvas(np.random.default_rng(0), 64)
    areas = [
        canvas.covers(place(OUTLINES[name], (31.5, 31.5), 24, angle))[1].sum()
        for angle in np.linspace(0, 2 * np.pi, 9)
    ]
    assert np.ptp(areas) < 0.02 * np.mean(areas)
