"""A small picture is enlarged, and its best classes stand below."""

import numpy as np

from rethink_det.classification.prediction import Classified
from rethink_det.classification.prediction.drawing import SMALLEST, drawn
from rethink_det.datasets.pixels import LINE

FOUND = Classified(np.array([0.9, 0.1], np.float32), ('cat', 'dog'))


def test_each_pixel_of_a_small_picture_becomes_a_square():
    picture = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
    shown = drawn(picture, FOUND)
    assert shown.shape == (SMALLEST + 2 * LINE, SMALLEST // 32 * 40, 3)
    np.testing.assert_array_equal(shown[:SMALLEST:8, ::8], picture)
    assert (shown[SMALLEST : SMALLEST + LINE] < 128).any()  # a line of text


def test_a_large_one_stays_as_it_is():
    picture = np.zeros((300, 400, 3), np.uint8)
    assert drawn(picture, FOUND, 1).shape == (300 + LINE, 400, 3)
