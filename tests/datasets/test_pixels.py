"""Pictures come in and go out red, green, blue, whoever reads them."""

import cv2
import numpy as np
import pytest

from rethink_det.datasets.pixels import (
    GAP,
    LINE,
    rgb_of,
    side_by_side,
    text_lines,
    told_apart,
    write_picture,
)
from rethink_det.errors import UserError


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_what_is_written_is_read_and_opencv_has_the_other_order(noise, tmp_path):
    write_picture(tmp_path / 'a.png', noise)
    np.testing.assert_array_equal(rgb_of(tmp_path / 'a.png'), noise)
    opencv = cv2.imread(str(tmp_path / 'a.png'))
    np.testing.assert_array_equal(opencv, noise[:, :, ::-1])
    np.testing.assert_array_equal(rgb_of(opencv), noise)


def test_pictures_of_different_heights_stand_side_by_side(noise):
    both = side_by_side([noise, noise[:3]], ['a', 'b'])
    assert both.shape == (LINE + 5, 7 + GAP + 7, 3)
    np.testing.assert_array_equal(both[LINE:, :7], noise)
    np.testing.assert_array_equal(both[LINE : LINE + 3, -7:], noise[:3])
    assert (both[LINE + 3 :, -7:] == 255).all()


@pytest.mark.parametrize('dtype, shape', [(np.float32, (5, 7, 3)), (np.uint8, (5, 7))])
def test_other_arrays_are_no_pictures(dtype, shape):
    with pytest.raises(UserError, match='A picture is uint8'):
        rgb_of(np.zeros(shape, dtype))


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / 'a.png').write_text('no picture')
    with pytest.raises(UserError, match='a.png is no picture'):
        rgb_of(tmp_path / 'a.png')


@pytest.mark.parametrize(
    'paths, names',
    [
        (['runs/prune-d/seed0', 'runs/unpruned-d/seed0'], ['prune-d', 'unpruned-d']),
        (['a/b/seed0-1', 'a/c/seed0-2'], ['b/seed0-1', 'c/seed0-2']),
        (['a', 'a/b'], ['a', 'a/b']),
        (['model.onnx', 'work'], ['model.onnx', 'work']),
        (['same', 'same'], ['same', 'same']),
        (['/one/alone.pth'], ['/one/alone.pth']),
    ],
)
def test_paths_are_told_apart_by_what_differs(paths, names):
    assert told_apart(paths) == names


@pytest.mark.parametrize('words', ['short', 'a title of some length', 'far/too/long/' * 20])
def test_a_title_stays_within_its_picture(words):
    width = 220
    strip = text_lines([words], width)
    assert strip.shape == (LINE, width, 3)
    assert (strip[:, -2:] == 255).all() and (strip < 255).any()
