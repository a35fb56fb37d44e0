"""A COCO folder of a handful of images."""

import pytest

from tests.tiny_data import write_coco


@pytest.fixture(scope='session')
def coco_root(tmp_path_factory):
    """A COCO folder of four training and two validation images."""
    root = tmp_path_factory.mktemp('data') / 'coco'
    write_coco(root)
    return root
