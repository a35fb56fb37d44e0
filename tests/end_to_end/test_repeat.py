"""The same seed gives the same weights, also from any checkpoint on: shipped recipes, tiny data."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.training.config import load_config
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint
from tests.slow_ones import slow_where
from tests.tiny_configs import shrink

pytestmark = pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')

CLASSIFICATION = Path(__file__).resolve().parents[2] / 'configs' / 'classification'
EPOCHS = 3


def cifar(data):
    """Filters are removed and the learning rate rises after the first epoch."""
    return shrink(load_config(CLASSIFICATION / 'resnet20_soft-filter_cifar10.py'), data)


def fast(data):
    """The same by the loop for small images."""
    config = cifar(data)
    config.train_cfg = dict(type='rethink_det.FastEpochLoop')
    return config


def imagenet(data, workers=2):
    """Random resized crops, made by workers that outlive an epoch; a narrower network."""
    options = {'param_scheduler.0.step_size': 2}
    config = shrink(load_config(CLASSIFICATION / 'resnet34_imagenet.py', options), data)
    config.model.backbone.update(depth=18, base_channels=8)
    assert config.train_dataloader.persistent_workers
    config.train_dataloader.num_workers = workers
    return config


RECIPES = {recipe.__name__: recipe for recipe in (cifar, fast, imagenet)}


@pytest.fixture
def run(tmp_path):
    """Trains to the last epoch, whatever was drawn in this process before; keeps every epoch."""

    def run(config, name, start=None, seed=0):
        for draw in (random.random, np.random.rand, lambda: torch.rand(5)):
            draw()
        config.work_dir = str(tmp_path / name)
        config.train_cfg.update(max_epochs=EPOCHS, val_interval=EPOCHS)
        config.default_hooks.checkpoint.max_keep_ckpts = -1
        config.randomness = dict(seed=seed)
        config.load_from, config.resume = start, start is not None
        return train(config), load_checkpoint(last_checkpoint(config.work_dir))

    return run


@pytest.mark.parametrize('recipe', slow_where('imagenet', RECIPES))
def test_a_run_repeats_from_the_start_and_from_every_checkpoint(recipe, tiny_data, run, tmp_path):
    make = RECIPES[recipe]
    unbroken = run(make(tiny_data), 'unbroken')
    assert_same(run(make(tiny_data), 'again'), unbroken)
    kept = sorted((tmp_path / 'unbroken').glob('epoch_*.pth'))
    assert [file.name for file in kept] == [f'epoch_{n + 1}.pth' for n in range(EPOCHS)]
    for file in kept[:-1]:
        resumed = run(make(tiny_data), f'from-{file.stem}', str(file))
        assert_same(resumed, unbroken)
        assert digest(load_checkpoint(file)['state_dict']) != digest(resumed[1]['state_dict'])


def test_a_run_goes_on_with_another_number_of_workers(tiny_data, run, tmp_path):
    unbroken = run(imagenet(tiny_data), 'two')
    resumed = run(imagenet(tiny_data, workers=1), 'one', str(tmp_path / 'two' / 'epoch_1.pth'))
    assert_same(resumed, unbroken)


@pytest.mark.parametrize('recipe', slow_where('imagenet', ['cifar', 'imagenet']))
def test_another_seed_gives_another_run(recipe, tiny_data, run):
    ends = [run(RECIPES[recipe](tiny_data), f'seed{seed}', seed=seed)[1] for seed in (0, 1)]
    assert digest(ends[0]['state_dict']) != digest(ends[1]['state_dict'])


def assert_same(one, other):
    """Two runs ended alike: scores, weights, optimizer, schedule, and every loss on the way."""
    (scores, found), (wanted, expected) = one, other
    assert scores == wanted != {}
    assert digest(found['state_dict']) == digest(expected['state_dict'])
    momenta = [digest(momentum(end)) for end in (found, expected)]
    assert momenta[0] == momenta[1]
    assert found['optimizer']['param_groups'] == expected['optimizer']['param_groups']
    assert found['param_schedulers'] == expected['param_schedulers']
    assert [found['meta'][key] for key in ('epoch', 'iter')] == [EPOCHS, 2 * EPOCHS]
    for name in ('train/loss', 'train/lr'):
        histories = [end['message_hub']['log_scalars'][name][0] for end in (found, expected)]
        assert len(histories[0]) == 2 * EPOCHS and torch.equal(*histories)


def momentum(checkpoint):
    return {
        str(number): state['momentum_buffer']
        for number, state in checkpoint['optimizer']['state'].items()
    }
