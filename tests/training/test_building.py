"""Building what a config says: mistakes in it are told in a line, and no others are hidden."""

import pytest
import torch

from rethink_det.errors import UserError
from rethink_det.training.building import check_buildable, telling_what_is_built


def test_what_can_be_built_is_built_without_memory_or_data(tiny_config):
    config = tiny_config()
    config.model.backbone.base_channels = 2048  # 20 GB of weights
    config.train_dataloader.dataset = dict(type='rethink_det.NoSuchData')
    before = config.to_dict()
    check_buildable(config)
    assert config.to_dict() == before


def test_a_config_without_a_model_or_an_optimizer_has_nothing_to_build(tiny_config):
    check_buildable(tiny_config(model=None))
    check_buildable(tiny_config(optim_wrapper=None, param_scheduler=[dict(type='NoSuchSchedule')]))


@pytest.mark.parametrize(
    'key, value, words',
    [
        (
            'model.head.classes',
            3,
            "The head .*LinearHead.* cannot be built: TypeError: .*'classes'",
        ),
        ('model.backbone.depth', 9, 'The backbone .*CifarResNet.* cannot be built: depth must be'),
        ('optim_wrapper.optimizer.beta', 3, "'SGD' cannot be built: .*'beta'"),
        ('optim_wrapper.type', 'mmrotate.Wrapper', "needs the package 'mmrotate'"),
        ('param_scheduler.0.gama', 3, "'MultiStepLR' cannot be built: .*'gama'"),
        (
            'model.head.type',
            'mmrotate.Head',
            "type 'mmrotate.Head' needs the package 'mmrotate'.*pip",
        ),
    ],
)
def test_what_cannot_be_built_is_named(tiny_config, key, value, words):
    config = tiny_config()
    config.merge_from_dict({key: value})
    with pytest.raises(UserError, match=words) as refused:
        check_buildable(config)
    assert '\n' not in str(refused.value)


def test_the_package_of_a_default_scope_is_asked_for_where_a_bare_name_is_unknown(tiny_config):
    config = tiny_config(default_scope='mmrotate')
    check_buildable(config)  # it needs nothing of it
    config.optim_wrapper.type = 'RotatedWrapper'
    with pytest.raises(UserError, match="'RotatedWrapper' in default_scope needs the package 'mmr"):
        check_buildable(config)
    config.model.head = dict(type='RotatedHead')
    with pytest.raises(UserError, match="type 'RotatedHead' needs the package 'mmrotate'.*pip"):
        check_buildable(config)


def test_an_unknown_type_stays_the_message_of_mmengine(tiny_config):
    config = tiny_config()
    config.optim_wrapper.type = 'NoSuchWrapper'
    with pytest.raises(KeyError, match='NoSuchWrapper is not in the'):
        check_buildable(config)


def test_what_goes_wrong_elsewhere_passes_as_it_is():
    for error in (RuntimeError('in a step'), OSError(28, 'full'), UserError('said already')):
        with pytest.raises(type(error)) as raised, telling_what_is_built():
            raise error
        assert raised.value is error
    with pytest.raises(ZeroDivisionError), telling_what_is_built():
        torch.nn.Identity()(1 / 0)
