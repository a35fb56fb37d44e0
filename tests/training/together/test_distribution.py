"""Runs together and runs alone are drawn from the same distribution, as far as ten of each tell."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats

from rethink_det.datasets import ImageTensorDataset
from rethink_det.registry import DATASETS
from rethink_det.training.launch import train
from rethink_det.training.together.group import run_together

SEEDS = range(10)
MARGIN = 1.0
"""A point of accuracy."""


@DATASETS.register_module(force=True)
class FaintImages(ImageTensorDataset):
    """Noise of two brightnesses that are hard to tell apart."""

    def __init__(self, count, seed):
        generator = torch.Generator().manual_seed(seed)
        labels = torch.arange(count) % 2
        noise = torch.randint(0, 200, (count, 3, 8, 8), generator=generator)
        images = noise + 22 * labels[:, None, None, None]
        super().__init__(images.to(torch.uint8), labels, ('dark', 'bright'))


def configs(member, name, **changes):
    for seed in SEEDS:
        config = member(f'{name}{seed}', 4, seed=seed, **changes)
        for split, count, number in (('train', 1024, 0), ('val', 4096, 1), ('test', 4096, 1)):
            loader = config[f'{split}_dataloader']
            loader.dataset = dict(type='FaintImages', count=count, seed=number)
            loader.batch_size = 32 if split == 'train' else 512
        config.train_cfg.val_interval = 4
        config.param_scheduler[0].milestones = [2, 3]
        yield config


def interval(one, other, level):
    """Of the difference of two means, by Welch."""
    found = stats.ttest_ind(one, other, equal_var=False).confidence_interval(level)
    return found.low, found.high


def ratio_of_variances(one, other, level=0.95):
    """With its interval, by Fisher."""
    ratio = np.var(one, ddof=1) / np.var(other, ddof=1)
    free = len(one) - 1, len(other) - 1
    low, high = stats.f.ppf([(1 + level) / 2, (1 - level) / 2], *free)
    return ratio, ratio / low, ratio / high


@pytest.mark.slow
def test_ten_seeds_together_are_as_ten_alone(member):
    alone = [train(config) for config in configs(member, 'alone', together=False)]
    ended = run_together([partial(train, config) for config in configs(member, 'group')])
    one, other = ([m['accuracy/top1'] for m in each] for each in ([e.value for e in ended], alone))
    low, high = interval(one, other, 0.9)
    ratio, least, most = ratio_of_variances(one, other)
    told = (
        f'together {np.mean(one):.2f} +- {np.std(one, ddof=1):.2f}, alone {np.mean(other):.2f} +- '
        f'{np.std(other, ddof=1):.2f}; difference in [{low:.2f}, {high:.2f}], ratio of variances '
        f'{ratio:.2f} in [{least:.2f}, {most:.2f}]'
    )
    print(told)
    assert 60 < np.mean(other) < 99.5 and np.std(other, ddof=1) > 0.05, told  # there is something
    assert one != other, told  # they are different runs
    assert low > -MARGIN and high < MARGIN, told
    assert least < 1 < most, told


@pytest.mark.parametrize('shift', [0.0, 3.0])
def test_the_intervals_tell_a_shift_and_another_spread(shift):
    draws = np.random.default_rng(0).normal(90, 0.5, (2, 10))
    low, high = interval(draws[0] + shift, draws[1], 0.9)
    assert (low > -MARGIN and high < MARGIN) == (shift == 0)
    _, least, most = ratio_of_variances(draws[0] * (1 + 10 * shift), draws[1])
    assert (least < 1 < most) == (shift == 0)
    with pytest.raises(ValueError, match='broadcast'):
        draws[0] + draws[1][:3]
