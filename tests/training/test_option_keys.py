"""Keys that MMEngine takes in a config that does not spell them out."""

import pytest
from mmengine.runner import Runner

from rethink_det import load_config
from rethink_det.errors import UserError
from rethink_det.training.config import set_options, shipped_configs
from rethink_det.training.option_keys import HOOKS, addable_keys, is_read, with_default_hooks

DETECTOR = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'
CLASSIFIER = 'classification/resnet18-w16_shapes.py'


@pytest.fixture
def shipped():
    return shipped_configs()


@pytest.mark.parametrize(
    'key, value',
    [
        ('val_evaluator.classwise', True),
        ('train_dataloader.persistent_workers', False),
        ('train_dataloader.dataset.indices', 10),
        ('train_dataloader.drop_last', True),
        ('model.backbone.frozen_stages', 1),
        ('model.rpn_head.init_cfg', None),
        ('model.test_cfg.rcnn.score_thr', 0.1),
        ('train_cfg.dynamic_intervals', None),
        ('env_cfg.mp_cfg.mp_start_method', 'fork'),
        ('default_hooks.visualization.draw', True),
        ('train_dataloader.dataset.metainfo.classes', ('raccoon',)),
        ('model.backbone.norm_cfg.eps', 1e-3),
        ('work_dir', 'here'),
        ('train_dataloader.collate_fn.type', 'pseudo_collate'),
        ('find_unused_parameters', True),
        ('default_hooks.early_stopping', dict(type='EarlyStoppingHook', monitor='coco/bbox_mAP')),
    ],
)
def test_keys_of_a_detector(key, value, shipped):
    config = load_config(shipped / DETECTOR, {key: value})
    node = config
    for part in key.split('.'):
        node = node[part]
    assert node == value


@pytest.mark.parametrize(
    'config, key, meant',
    [
        (DETECTOR, 'val_evaluator.claswise', 'classwise'),
        (DETECTOR, 'train_dataloader.persistent_worker', 'persistent_workers'),
        (DETECTOR, 'train_dataloader.dataset.indicees', 'indices'),
        (DETECTOR, 'model.backbone.frozen_stage', 'frozen_stages'),
        (CLASSIFIER, 'model.data_preprocessor.flipp', 'flip'),
        (CLASSIFIER, 'train_cfg.max_epoch', 'max_epochs'),
        (CLASSIFIER, 'randomnes.seed', 'randomness'),
    ],
)
def test_a_wrong_key_is_still_refused(config, key, meant, shipped):
    with pytest.raises(UserError, match=f"Did you mean '{meant}'"):
        load_config(shipped / config, {key: 1})


def test_what_a_class_hands_on_is_free_but_for_misspellings(shipped):
    timm = {'type': 'rethink_det.TimmBackbone', 'model_name': 'resnet18'}
    options = {'model.backbone': timm}
    config = load_config(shipped / CLASSIFIER, options)
    set_options(config, {'model.backbone.drop_path_rate': 0.1}, 'small.py')
    assert config.model.backbone.drop_path_rate == 0.1
    with pytest.raises(UserError, match="Did you mean 'out_indices'"):
        set_options(config, {'model.backbone.out_indicees': (1, 2)}, 'small.py')


def test_keys_of_another_type_go_with_it_in_any_order(shipped):
    options = {
        'optim_wrapper.optimizer.betas': (0.9, 0.99),
        'optim_wrapper.loss_scale': 'dynamic',
        'optim_wrapper.type': 'AmpOptimWrapper',
        'optim_wrapper.optimizer.type': 'AdamW',
        'default_hooks.ema.momentum': 0.1,
        'default_hooks.ema.type': 'EMAHook',
    }
    config = load_config(shipped / DETECTOR, options)
    assert config.optim_wrapper.loss_scale == 'dynamic'
    assert config.optim_wrapper.optimizer.betas == (0.9, 0.99)
    assert config.default_hooks.ema == dict(type='EMAHook', momentum=0.1)
    with pytest.raises(UserError, match="'loss_scale' is not there"):
        load_config(shipped / DETECTOR, {'optim_wrapper.loss_scale': 'dynamic'})
    with pytest.raises(UserError, match="'early_stopping' is not there"):
        load_config(shipped / DETECTOR, {'default_hooks.early_stopping': dict(monitor='x')})


def test_a_variable_of_the_file_is_said_to_change_nothing(shipped, capsys):
    options = {'max_epochs': 3, 'train_cfg.max_epochs': 3}
    load_config('mmdet::yolox/yolox_s_8xb8-300e_coco.py', options)
    told = capsys.readouterr().err
    assert '--cfg-options max_epochs: nothing reads this key' in told
    assert told.count('--cfg-options') == 1
    assert is_read('randomness') and is_read('custom_imports') and not is_read('data_root')


def test_the_hooks_are_those_of_the_runner(monkeypatch):
    """MMEngine has them in a function."""
    seen = []
    runner = Runner.__new__(Runner)
    monkeypatch.setattr(Runner, 'register_hook', lambda self, hook: seen.append(hook))
    runner.register_default_hooks(None)
    assert [hook['type'] for hook in seen] == list(HOOKS.values())


def test_only_what_is_missing_is_spelled_out():
    own = dict(checkpoint=dict(type='CheckpointHook', interval=3), timer=None)
    assert with_default_hooks(own, 'checkpoint') == own
    assert with_default_hooks(own, 'timer')['timer'] == dict(type='IterTimerHook')
    assert with_default_hooks(None, 'no such') == {}


def test_nothing_is_known_of_what_has_no_type():
    assert addable_keys({}, ('custom', 'x')) == []
    assert addable_keys({'type': 'NoSuchThing'}, ('model',)) == []
    assert 'seed' not in addable_keys({'seed': 1}, ('randomness',))


def test_what_cannot_be_set_is_refused(shipped):
    with pytest.raises(UserError, match='pipeline is a list of 5'):
        load_config(shipped / DETECTOR, {'train_dataloader.dataset.pipeline.99.type': 'x'})
    with pytest.raises(UserError, match="'x' is not there"):
        load_config(shipped / DETECTOR, {'model.backbone.depth.x': 1})
