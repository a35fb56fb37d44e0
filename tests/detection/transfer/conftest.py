"""Detectors and classifiers of which one gets the backbone of the other."""

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.training.config import load_config
from tests.detection.backbones import write_classifier
from tests.detection.transfer.adapting import CONFIGS


@pytest.fixture(scope='module')
def detector():
    """Faster R-CNN with a ResNet-18 of base width 16."""
    return load_config(CONFIGS / 'faster-rcnn_r18-w16_fpn_shapes.py')


@pytest.fixture(scope='module')
def coco():
    """Faster R-CNN with the usual ImageNet settings: first stage frozen, BatchNorm kept."""
    narrow = {'depth': 18, 'base_channels': 16, 'zero_init_residual': False}
    config = load_config(CONFIGS / 'faster-rcnn_r34_fpn_1x_coco.py')
    config.model.backbone.update(narrow)
    config.model.neck.in_channels = [16, 32, 64, 128]
    return config


@pytest.fixture(scope='module')
def resnet():
    """Makes an architecture of the detector's backbone."""

    def make(**channels):
        return PrunedArchitecture(
            dict(type='mmdet.ResNet', depth=18, base_channels=16, zero_init_residual=False),
            dict(type='rethink_det.LinearHead', num_classes=8),
            (3, 32, 32),
            {layer.replace('_', '.'): kept for layer, kept in channels.items()},
        )

    return make


@pytest.fixture
def saved(tmp_path):
    """Writes the checkpoint of a classifier of an architecture."""

    def save(architecture, name='classifier.pth', **meta):
        state = architecture.build_network().state_dict()
        meta = {'architecture': architecture.to_dict(), **meta}
        save_checkpoint({'meta': meta, 'state_dict': state}, tmp_path / name)
        return str(tmp_path / name)

    return save


@pytest.fixture(scope='module')
def pruned50(tmp_path_factory):
    """The checkpoint of a ResNet-50, pruned in its outputs."""
    keep = {f'layer{stage}.0.conv3': 0.5 for stage in (1, 2, 3, 4)}
    return str(write_classifier(tmp_path_factory.mktemp('pruned') / '50.pth', keep))
