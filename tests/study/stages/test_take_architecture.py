"""A published architecture: a shape, and no weights."""

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.errors import UserError
from rethink_det.study.nodes import PublishedArchitecture
from rethink_det.study.stages import TakeArchitecture


def stage(architecture):
    run = PublishedArchitecture(
        arm='pruned', seed=0, config='net.py', architecture=str(architecture)
    )
    return TakeArchitecture(run)


def test_it_is_written_down_and_cost_nothing(tmp_path, tiny_config):
    result = stage('resnet56-a').do(tiny_config(), tmp_path)
    taken = PrunedArchitecture.load('resnet56-a')
    assert PrunedArchitecture.load(tmp_path / result.architecture) == taken
    assert (result.digest, result.checkpoint) == (taken.digest, None)
    assert result.train_macs == result.total_train_macs == result.shape_train_macs == 0
    assert result.macs == taken.cost().macs


def test_it_follows_what_stands_in_the_file(cifar, tmp_path):
    file = tmp_path / 'small.json'
    cifar(base_channels=4).save(file)
    first = stage(file).sources
    cifar(base_channels=8).save(file)
    assert stage(file).sources != first


def test_an_unknown_one_is_refused():
    with pytest.raises(UserError, match="No architecture 'resnet99-z'"):
        _ = stage('resnet99-z').sources
