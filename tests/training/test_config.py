"""Configs: read from a file, changed only where something exists to change."""

import subprocess
import sys

import pytest

from rethink_det import UserError
from rethink_det.training.config import load_config, set_options

TEXT = """
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
param_scheduler = [dict(type='MultiStepLR', milestones=[1, 2])]
load_from = None
custom = dict()
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'small.py').write_text(TEXT)
    return tmp_path / 'small.py'


def test_options_change_what_exists(path):
    options = {
        'optim_wrapper.optimizer.lr': 0.5,
        'param_scheduler.0.milestones': [3],
        'load_from': 'a.pth',
    }
    config = load_config(path, options)
    assert config.optim_wrapper.optimizer == dict(type='SGD', lr=0.5)
    assert config.param_scheduler[0] == dict(type='MultiStepLR', milestones=[3])
    assert config.load_from == 'a.pth'
    assert load_config(path).optim_wrapper.optimizer.lr == 0.1


@pytest.mark.parametrize(
    'key, message',
    [
        ('randomness.sed', "Did you mean 'seed'"),
        ('default_hooks.checkpoint.save_bset', "Did you mean 'save_best'"),
        ('default_hooks.checkpint.interval', "Did you mean 'checkpoint'"),
        ('visualizer.vis_backend', "Did you mean 'vis_backends'"),
        ('optim_wrapper.paramwize_cfg', "Did you mean 'paramwise_cfg'"),
        ('custom_hooks.0.type', 'has no custom_hooks, and so no entry'),
        ('optim_wraper.optimizer.lr', "'optim_wraper' is not there. Did you mean 'optim_wrapper'"),
        ('optim_wrapper.optimizer.lrr', "Did you mean 'lr'"),
        ('optim_wrapper.optimizer.zzz', 'Valid here: lr, type'),
        ('optim_wrapper.optimizer.lr.x', "'x' is not there"),
        ('param_scheduler.1.milestones', "param_scheduler is a list of 1; '1' is no index"),
        ('param_scheduler.x', "'x' is no index"),
        ('nothing', 'Valid here: custom, load_from'),
    ],
)
def test_a_key_that_does_not_exist_is_refused(path, key, message):
    config = load_config(path)
    before = config.pretty_text
    with pytest.raises(UserError, match=message):
        set_options(config, {key: 1}, 'small.py')
    assert config.pretty_text == before
    with pytest.raises(UserError, match='small.py'):
        load_config(path, {key: 1})


def test_keys_that_mmengine_takes_need_not_be_spelled_out(path):
    options = {
        'randomness.seed': 3,
        'randomness.deterministic': True,
        'default_hooks.checkpoint.save_best': 'auto',
        'default_hooks.logger.interval': 5,
        'optim_wrapper.accumulative_counts': 2,
        'optim_wrapper.optimizer.momentum': 0.9,
        'optim_wrapper.paramwise_cfg.norm_decay_mult': 0,
        'param_scheduler.0.gamma': 0.5,
        'log_processor.window_size': 3,
    }
    config = load_config(path, options)
    assert config.randomness == dict(seed=3, deterministic=True)
    hooks = dict(
        checkpoint=dict(type='CheckpointHook', save_best='auto'),
        logger=dict(type='LoggerHook', interval=5),
    )
    assert config.default_hooks == hooks
    assert config.optim_wrapper.optimizer == dict(type='SGD', lr=0.1, momentum=0.9)
    assert config.param_scheduler[0].gamma == 0.5
    assert 'randomness' not in load_config(path)


def test_a_file_that_is_missing_or_broken_is_refused(tmp_path):
    with pytest.raises(UserError, match='gone.py does not exist'):
        load_config(tmp_path / 'gone.py')
    (tmp_path / 'broken.py').write_text('model = dict(')
    with pytest.raises(UserError, match='broken.py cannot be read'):
        load_config(tmp_path / 'broken.py')
    (tmp_path / 'orphan.py').write_text("_base_ = './gone.py'\n")
    with pytest.raises(UserError, match='orphan.py cannot be read'):
        load_config(tmp_path / 'orphan.py')
    with pytest.raises(UserError, match='mmdet::no/such.py does not exist'):
        load_config('mmdet::no/such.py')


def test_another_packages_config_is_read_by_name():
    config = load_config('mmdet::_base_/schedules/schedule_1x.py')
    assert config.train_cfg.max_epochs == 12


@pytest.mark.parametrize(
    'name, remedy',
    [
        ('no_such_package::x.py', 'if the name is mistyped'),
        ('mmdett::faster_rcnn/x.py', 'of MMEngine there are mmdet'),
        ('os.path::x/y.py', 'not installed'),
        ('mmsegmentation::fcn/x.py', 'not installed'),
    ],
)
def test_a_package_that_is_not_there_is_named_and_never_installed(name, remedy, monkeypatch):
    monkeypatch.setattr(subprocess, 'check_call', pytest.fail)
    monkeypatch.setattr(subprocess, 'Popen', pytest.fail)
    with pytest.raises(UserError, match=remedy) as refused:
        load_config(name)
    assert name in str(refused.value)
    assert '\n' not in str(refused.value)


@pytest.fixture
def nothing_starts(monkeypatch):
    """Whatever would install something fails the test."""
    for name in ('check_call', 'Popen', 'run'):
        monkeypatch.setattr(subprocess, name, pytest.fail)


ABSENT = {
    'base.py': "_base_ = 'mmrotate::some/net.py'\n",
    'base_of_base.py': "_base_ = ['./base.py']\n",
    'base.json': '{"_base_": ["mmrotate::some/net.py"]}',
    'base.yaml': '_base_: mmrotate::some/net.py\n',
    'import.py': "custom_imports = dict(imports=['mmrotate'])\n",
    'lazy.py': 'from mmrotate.models import Net\nmodel = dict(type=Net)\n',
    'lazy_module.py': 'import mmrotate\nmodel = dict(type=mmrotate.Net)\n',
    'lazy_base.py': (
        'from mmengine.config import read_base\n'
        'with read_base():\n    from mmrotate.configs.net import *\n'
    ),
}  # fmt: skip
"""Configs that need a package of MMEngine that is not there."""


@pytest.mark.parametrize('name', ABSENT)
def test_what_a_config_needs_and_is_not_there_is_said_in_a_line(name, tmp_path, nothing_starts):
    for file, text in ABSENT.items():
        (tmp_path / file).write_text(text)
    needs = "needs the package 'mmrotate', which is not installed: pip install [a-z-]*mmrotate.$"
    with pytest.raises(UserError, match=needs) as refused:
        load_config(tmp_path / name)
    assert name in str(refused.value)


def test_a_base_in_a_package_that_nobody_knows_is_refused(tmp_path, nothing_starts):
    (tmp_path / 'typo.py').write_text("_base_ = 'mmdett::faster_rcnn/x.py'\n")
    with pytest.raises(UserError, match=r"typo.py needs the package 'mmdett'.*if the name is mist"):
        load_config(tmp_path / 'typo.py')


def test_a_yaml_config_is_read_with_the_tuples_that_mmengine_writes(path, tmp_path):
    config = load_config(path, {'custom': dict(sizes=(1, (2, 3)))})
    config.dump(tmp_path / 'dumped.yaml')
    assert 'python/tuple' in (tmp_path / 'dumped.yaml').read_text()
    assert load_config(tmp_path / 'dumped.yaml').custom.sizes == (1, (2, 3))


@pytest.mark.parametrize('suffix', ['yaml', 'yml'])
@pytest.mark.parametrize(
    'tag',
    [
        '!!python/object/apply:os.mkdir [CANARY]',
        '!!python/object/new:os.mkdir [CANARY]',
        '!!python/name:os.system ""',
        '!!python/module:antigravity ""',
        '!!python/object:rethink_det.errors.UserError {}',
    ],
)
def test_a_tag_in_a_yaml_config_runs_nothing(tag, suffix, tmp_path):
    canary, file = tmp_path / 'canary', tmp_path / f'config.{suffix}'
    file.write_text(f'a: {tag.replace("CANARY", str(canary))}\n')
    with pytest.raises(UserError, match='could not determine a constructor for the tag'):
        load_config(file)
    (tmp_path / 'child.py').write_text(f"_base_ = './{file.name}'\n")
    with pytest.raises(UserError, match=r'child\.py cannot be read'):
        load_config(tmp_path / 'child.py')
    assert not canary.exists()
    assert 'antigravity' not in sys.modules
