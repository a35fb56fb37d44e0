"""A small shapes folder, built once for the tests of this folder."""

import pytest

from rethink_det.datasets.shapes import build_shapes


@pytest.fixture(scope='session')
def sizes():
    return dict(crops=(80, 16), images=(6, 3))


@pytest.fixture(scope='session')
def shapes_root(tmp_path_factory, sizes):
    return build_shapes(tmp_path_factory.mktemp('data') / 'shapes', **sizes)
