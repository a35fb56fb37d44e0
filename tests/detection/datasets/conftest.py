"""A devkit of PASCAL VOC, and mmdet's names."""

import pytest
from mmengine.registry import DefaultScope

from tests.detection.datasets.voc_devkit import write_devkit


@pytest.fixture
def devkit(tmp_path):
    return write_devkit(tmp_path / 'VOCdevkit')


@pytest.fixture
def scope():
    """Bare names of types are mmdet's."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield
