"""Rates by layer become one where the backbone's layers are not known to mmdet."""

import pytest
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS

from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
from rethink_det.training.building import check_buildable
from tests.tiny_detector import write_mask_rcnn


@pytest.fixture
def config(tmp_path):
    config, _ = write_mask_rcnn(tmp_path)
    config.optim_wrapper = dict(
        type='OptimWrapper',
        constructor='LearningRateDecayOptimizerConstructor',
        paramwise_cfg=dict(decay_rate=0.7, decay_type='layer_wise', num_layers=6),
        optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    )
    return config


def test_all_layers_train_at_one_rate_and_biases_do_not_decay(config):
    with pytest.raises(UserError, match='optim_wrapper cannot be built'):
        check_buildable(config)  # mmdet's constructor and another backbone
    adapted = transfer_config(config, ARMS.get(DETECTION, 'random'), 'resnet50-thinet-50')
    said = next(one for one in adapted.changes if one.place == 'optim_wrapper.constructor')
    assert str(said).startswith('optim_wrapper.constructor: layer_wise 0.7 -> none, one rate')
    with scope_of(config, 'mmdet'):
        model = MODELS.build(adapted.config.model)
        wrapper = build_optim_wrapper(model, adapted.config.optim_wrapper)
    groups = wrapper.optimizer.param_groups
    assert {group['lr'] for group in groups} == {1e-4}
    decayed = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    found = {decayed[id(p)] for p in model.parameters() if p.requires_grad and p.dim() == 1}
    assert found == {0.0}
    assert 0.05 in {group['weight_decay'] for group in groups}


def test_an_optimizer_whose_weight_decay_is_not_said_keeps_its_own(config):
    del config.optim_wrapper.optimizer['weight_decay']
    adapted = transfer_config(config, ARMS.get(DETECTION, 'random'), 'resnet50-thinet-50')
    check_buildable(adapted.config)
    assert adapted.config.optim_wrapper.paramwise_cfg is None


def test_other_constructors_are_left_alone(config):
    config.optim_wrapper = dict(
        type='OptimWrapper',
        paramwise_cfg=dict(norm_decay_mult=0.5),
        optimizer=dict(type='SGD', lr=1),
    )
    adapted = transfer_config(config, ARMS.get(DETECTION, 'random'), 'resnet50-thinet-50')
    assert adapted.config.optim_wrapper == config.optim_wrapper
    assert all('constructor' not in one.place for one in adapted.changes)
