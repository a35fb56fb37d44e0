"""A data set of a seed: the same bytes, or none."""

import hashlib

import numpy as np
import pytest

from rethink_det import UserError
from rethink_det.datasets.shapes import build_shapes


def digests(root):
    files = sorted(path for path in root.rglob('*') if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_same_seed_gives_the_same_bytes(shapes_root, tmp_path, sizes):
    again = build_shapes(tmp_path / 'again', **sizes)
    assert digests(again) == digests(shapes_root)


def test_another_seed_gives_other_images(shapes_root, tmp_path, sizes):
    other = build_shapes(tmp_path / 'other', seed=1, **sizes)
    same = digests(other).items() & digests(shapes_root).items()
    assert not same


def test_a_small_data_set_is_the_start_of_a_larger_one(shapes_root, tmp_path):
    small = build_shapes(tmp_path / 'small', crops=(8, 8), images=(2, 1))
    with (
        np.load(small / 'crops_train.npz') as few,
        np.load(shapes_root / 'crops_train.npz') as many,
    ):
        assert np.array_equal(few['images'], many['images'][:8])
    name = 'train/000002.png'
    assert (small / name).read_bytes() == (shapes_root / name).read_bytes()


@pytest.mark.parametrize(
    ('wrong', 'named'),
    [
        (dict(seed=-1), 'seed=-1'),
        (dict(seed=True), 'seed=True'),
        (dict(crops=(8, 0)), 'crops='),
        (dict(crops=8), 'crops='),
        (dict(images=(1, 2, 3)), 'images='),
    ],
)
def test_refuses_impossible_parameters(tmp_path, wrong, named, sizes):
    with pytest.raises(UserError, match=named):
        build_shapes(tmp_path / 'never', **{**sizes, **wrong})
    assert not list(tmp_path.iterdir())
