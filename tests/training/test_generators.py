"""Numbers drawn in between disturb nobody."""

import random

import numpy as np
import torch

from rethink_det.training.generators import seeded


def draw():
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_the_same_seed_draws_the_same_and_leaves_others_alone():
    with seeded(1):
        expected = [draw(), draw()]
    with seeded(3):
        first = draw()
        with seeded(2**40):
            inner = draw()
        assert draw() != first
    with seeded(3):
        assert draw() == first
    with seeded(1):
        assert draw() == expected[0]
        with seeded(2**40):
            assert draw() == inner
        assert draw() == expected[1]
