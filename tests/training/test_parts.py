"""The parts of a config: each is what it must be, or is refused with its key as it is read."""

import math

import pytest
from mmengine.config import Config
from mmengine.config.lazy import LazyObject

from rethink_det.errors import UserError
from rethink_det.training.parts import check_parts


def test_what_is_not_there_or_none_is_no_mistake(tiny_config):
    check_parts(Config({}), 'empty.py')
    check_parts(tiny_config(), 'tiny.py')
    check_parts(Config(dict(model=None, custom_hooks=None, param_scheduler=None)), 'nones.py')


def test_one_or_several_may_stand_for_schedules_evaluators_and_necks():
    one = dict(type='MultiStepLR', milestones=[1])
    for key in ('param_scheduler', 'val_evaluator'):
        check_parts(Config({key: one}), 'one.py')
        check_parts(Config({key: [one, one]}), 'two.py')
        with pytest.raises(UserError, match=f'x.py: {key!r} is 3, must be a dict or a list'):
            check_parts(Config({key: 3}), 'x.py')


@pytest.mark.parametrize(
    'config, words',
    [
        (dict(model='resnet'), "'model' is 'resnet', must be a dict"),
        (dict(model=dict(backbone=18)), "'model.backbone' is 18, must be a dict"),
        (dict(train_cfg=[3]), r"'train_cfg' is \[3\], must be a dict"),
        (dict(train_cfg=dict(max_epochs=0)), "'train_cfg.max_epochs' is 0, must be a whole num"),
        (dict(train_cfg=dict(max_epochs='2')), "'train_cfg.max_epochs' is '2'"),
        (dict(randomness=dict(seed=-1)), "'randomness.seed' is -1, must be a whole number of at l"),
        (dict(train_dataloader=dict(batch_size=True)), "'train_dataloader.batch_size' is True"),
        (dict(val_dataloader=dict(num_workers=1.5)), "'val_dataloader.num_workers' is 1.5"),
        (dict(optim_wrapper=dict(optimizer=dict(lr=-0.1))), "'optim_wrapper.optimizer.lr' is -0.1"),
        (dict(optim_wrapper=dict(optimizer=dict(momentum=2))), 'of at least 0 and at most 1'),
        (dict(custom_hooks=dict(type='A')), "'custom_hooks' is .*, must be a list"),
        (dict(custom_hooks=['A']), r"'custom_hooks\[0\]' is 'A', must be a dict"),
        (dict(work_dir=3), "'work_dir' is 3, must be a text"),
        (dict(mine=dict(deep=[1, dict(a=math.nan)])), r"'mine.deep.1.a' is not a number"),
    ],
)
def test_what_is_something_else_is_refused_with_its_key(config, words):
    with pytest.raises(UserError, match=words) as refused:
        check_parts(Config(config), 'mine.py')
    message = str(refused.value)
    assert message.startswith('mine.py: ') and '\n' not in message


def test_what_a_lazy_config_imports_must_be_there():
    check_parts(Config(dict(model=dict(type=LazyObject('torch.nn', 'Identity')))), 'lazy.py')
    absent = LazyObject(['no_such_package', 'no_such_package.part'])
    for kind in (absent, absent.Net):
        with pytest.raises(UserError, match="lazy.py: 'model.type' needs the package 'no_such_pac"):
            check_parts(Config(dict(model=dict(type=kind))), 'lazy.py')
