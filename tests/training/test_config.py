"""Configs: read from a file, changed only where something exists to change."""

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


def test_a_file_that_is_missing_or_broken_is_refused(tmp_path):
    with pytest.raises(UserError, match='gone.py does not exist'):
        load_config(tmp_path / 'gone.py')
    (tmp_path / 'broken.py').write_text('model = dict(')
    with pytest.raises(UserError, match='broken.py cannot be read'):
        load_config(tmp_path / 'broken.py')
    (tmp_path / 'orphan.py').write_text("_base_ = './gone.py'\n")
    with pytest.raises(UserError, match='orphan.py cannot be read'):
        load_config(tmp_path / 'orphan.py')
    with pytest.raises(UserError, match='no_such_package::x.py cannot be read'):
        load_config('no_such_package::x.py')


def test_another_packages_config_is_read_by_name():
    config = load_config('mmdet::_base_/schedules/schedule_1x.py')
    assert config.train_cfg.max_epochs == 12
