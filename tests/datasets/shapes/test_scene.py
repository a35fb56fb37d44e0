"""Pictures of objects that share no pixel."""

import numpy as np
import pytest

from rethink_det.datasets.shapes import draw_picture


@pytest.mark.parametrize('seed', range(12))
def test_pictures_hold_one_to_six_objects_that_share_no_pixel(seed):
    picture = draw_picture(np.random.default_rng(seed))
    assert picture.image.shape == (128, 128, 3) and picture.image.dtype == np.uint8
    assert 1 <= len(picture.labels) == len(picture.masks) <= 6
    assert picture.masks.sum(axis=0).max() == 1
