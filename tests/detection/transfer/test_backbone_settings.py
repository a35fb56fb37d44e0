"""How a backbone runs in a detector: frozen, normalised, styled."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS

from rethink_det import PrunedArchitecture
from rethink_det.arms import ARMS, DETECTION
from rethink_det.transfer.backbone_settings import runtime_settings
from tests.detection.transfer.adapting import (
    CLASSIFIERS,
    adapt,
    adapted,
    build,
    mmdet_config,
)

LINEAR = dict(type='rethink_det.LinearHead', num_classes=2)


@pytest.mark.parametrize('arm', CLASSIFIERS)
def test_runtime_settings_stay_where_weights_are_transferred(coco, arm, resnet, saved):
    source = saved(resnet())
    config = adapt(coco, arm, source)
    for key in ('frozen_stages', 'norm_eval', 'out_indices', 'norm_cfg'):
        assert config.model.backbone[key] == coco.model.backbone[key], key
    assert config.custom_hooks[-1].checkpoint == source


def test_initializer_of_the_old_backbone_is_dropped(coco, resnet, saved):
    assert coco.model.backbone.init_cfg.type == 'Pretrained'
    config = adapt(coco, 'prune-c', saved(resnet()))
    assert not {'init_cfg', 'pretrained', 'depth'} & set(config.model.backbone)


def test_random_arm_loads_nothing_and_freezes_nothing(coco, resnet, saved):
    assert coco.model.backbone.frozen_stages == 1
    config = adapt(coco, 'random', saved(resnet(layer1_0_conv1=5)))
    assert 'checkpoint' not in config.custom_hooks[-1]
    assert config.model.backbone.frozen_stages == -1
    assert config.model.backbone.norm_eval is False
    backbone = build(config).backbone
    backbone.train()
    assert all(parameter.requires_grad for parameter in backbone.parameters())
    assert backbone.bn1.training


@pytest.mark.parametrize('architecture', ['resnet50-thinet-30', 'resnet50-2x'])
def test_a_backbone_that_a_function_builds_is_trained_as_the_arm_says(architecture):
    config = mmdet_config('faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    backbone = adapt(config, 'random', architecture, weights=None).model.backbone
    assert (backbone.frozen_stages, backbone.norm_eval) == (-1, False)
    built = MODELS.build(backbone)
    built.train()
    assert built.bn1.training
    assert built.layer1[0].downsample[0].bias.requires_grad


def test_style_and_normalisation_are_those_of_the_weights(coco, resnet, saved):
    config = Config(coco.to_dict())
    config.model.backbone.update(style='caffe', norm_cfg=dict(type='GN', num_groups=8))
    found = adapted(config, 'prune-c', saved(resnet()))
    new, lines = found.config.model.backbone, list(map(str, found.changes))
    assert 'style' not in new
    assert new.norm_cfg == dict(type='BN', requires_grad=True)
    assert 'model.backbone.style: caffe -> pytorch, as the architecture has it' in lines
    assert 'model.backbone.norm_cfg.type: GN -> BN, as the architecture has it' in lines


@pytest.mark.parametrize('arm, trained', [('prune-c', False), ('random', True)])
def test_batchnorm_is_trained_where_it_has_no_statistics(coco, resnet, saved, arm, trained):
    config = Config(coco.to_dict())
    config.model.backbone.norm_cfg = dict(type='BN', requires_grad=False)
    backbone = build(adapt(config, arm, saved(resnet()))).backbone
    backbone.train()
    assert backbone.layer4[0].bn1.training == trained
    assert backbone.layer4[0].bn1.weight.requires_grad == trained
    assert backbone.conv1.weight.requires_grad == trained


def test_sync_bn_stays(coco, resnet, saved):
    config = Config(coco.to_dict())
    config.model.backbone.norm_cfg = dict(type='SyncBN', requires_grad=True)
    new = adapt(config, 'prune-c', saved(resnet(layer1_0_conv2=12)))
    assert isinstance(build(new).backbone.bn1, torch.nn.SyncBatchNorm)


@pytest.mark.parametrize(
    'kind, expected',
    [
        ('SwinTransformer', {'type': 'LN', 'requires_grad': True}),
        ('PyramidVisionTransformerV2', {'type': 'LN', 'requires_grad': True}),
        ('HRNet', {'type': 'BN', 'requires_grad': True}),
    ],
)
def test_a_norm_of_which_nothing_is_said_is_that_of_the_class(kind, expected):
    shape = PrunedArchitecture({'type': f'mmdet.{kind}'}, LINEAR, (3, 64, 64))
    settings, changes = runtime_settings({'type': kind}, shape, ARMS.from_nothing(DETECTION))
    known = {key: value for key, value in settings['norm_cfg'].items() if key in expected}
    assert known == expected and changes == []


@pytest.mark.parametrize('kind, unfrozen', [('EfficientNet', 0), ('ResNet', -1)])
def test_no_stage_is_frozen_as_each_class_says_it(kind, unfrozen):
    shape = PrunedArchitecture({'type': f'mmdet.{kind}'}, LINEAR, (3, 64, 64))
    old = {'type': kind, 'frozen_stages': 1}
    settings, _ = runtime_settings(old, shape, ARMS.from_nothing(DETECTION))
    assert settings['frozen_stages'] == unfrozen
