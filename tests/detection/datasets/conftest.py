"""A devkit of PASCAL VOC, and mmdet's names."""

import pytest
from mmengine.registry import DefaultScope

from tests.detection.datasets.annotated import Annotated
from tests.detection.datasets.voc_devkit import write_devkit


@pytest.fixture
def devkit(tmp_path):
    return write_devkit(tmp_path / 'VOCdevkit')


@pytest.fixture
def scope():
    """Bare names of types are mmdet's."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


@pytest.fixture
def annotated(tmp_path):
    """A COCO folder whose annotation files can be changed."""
    return Annotated.write(tmp_path / 'coco')
