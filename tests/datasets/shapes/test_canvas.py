"""What a canvas covers."""

import numpy as np

from rethink_det.datasets.shapes.canvas import Canvas
from rethink_det.datasets.shapes.outlines import OUTLINES, place


def test_an_outline_beyond_the_border_covers_nothing():
    canvas = Canvas(np.random.default_rng(0), 32)
    assert canvas.covers(place(OUTLINES['disk'], (200.0, -90.0), 10, 0.0))[1].sum() == 0
