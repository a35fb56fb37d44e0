"""An epoch draws the same, whatever ran before it."""

from types import SimpleNamespace

import numpy as np
import torch

from rethink_det.training import EpochSeedHook


def draws(seed: int, epoch: int) -> tuple:
    EpochSeedHook().before_train_epoch(SimpleNamespace(seed=seed, epoch=epoch))
    return torch.rand(1).item(), float(np.random.rand())


def test_an_epoch_draws_the_same_whatever_ran_before():
    first = draws(1, 4)
    torch.rand(10), np.random.rand(3)
    assert draws(1, 4) == first


def test_seeds_and_epochs_all_draw_differently():
    drawn = {draws(seed, epoch) for seed in range(6) for epoch in range(20)}
    assert len(drawn) == 120
    assert draws(None, 3) == draws(0, 3)
