"""A config of an arm, made from Python as from the command line."""

import pytest

from rethink_det import UserError
from rethink_det.study.with_backbone import with_backbone
from rethink_det.training.config import find_config, load_config

DETECTOR = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'


@pytest.fixture
def shape(cifar, tmp_path):
    """The file of a pruned architecture that fits the tiny classifier."""
    path = tmp_path / 'shape.json'
    cifar(classes=2, channels={'layer1.0.conv1': 2}).save(path)
    return path


def test_a_classifier_gets_the_shape_and_nothing_else_is_told(tiny_config, shape):
    config = tiny_config()
    adapted = with_backbone(config, shape, 'scratch-e')
    assert adapted.config.model.backbone.type == 'rethink_det.PrunedBackbone'
    assert config.model.backbone.type == 'rethink_det.CifarResNet'
    assert adapted.changes == ()


def test_any_other_model_is_a_detector_and_what_changes_is_told():
    config = load_config(find_config(DETECTOR))
    adapted = with_backbone(config, 'resnet50-thinet-50', 'random', {'schedule': '2x'})
    assert adapted.config.model.backbone.architecture == 'resnet50-thinet-50'
    assert any('model.neck.in_channels' in str(change) for change in adapted.changes)
    assert adapted.config.train_cfg.max_epochs == 2 * config.train_cfg.max_epochs
    assert config.model.backbone.type != 'rethink_det.PrunedBackbone'


@pytest.mark.parametrize(
    'arm, settings, message',
    [
        ('prune-c', {}, "'prune-c'"),
        ('scratch-e', {'sync_bn': True}, "'sync_bn'.*fine_tune_epochs"),
        ('scratch-e', {'schedule': '2x'}, "Unknown classification arm '2x'"),
        ('fine-tune', {}, 'is a shape, it has no weights: arm fine-tune needs'),
    ],
)
def test_what_is_no_arm_of_a_classifier_is_refused(tiny_config, arm, settings, message):
    with pytest.raises(UserError, match=message):
        with_backbone(tiny_config(), 'resnet56-a', arm, settings)


def test_a_shape_that_nothing_has_is_refused():
    with pytest.raises(UserError, match='resnet57'):
        with_backbone(load_config(find_config(DETECTOR)), 'resnet57', 'prune-c')
