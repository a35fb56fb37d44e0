"""Numbers drawn in between disturb nobody."""

import random

import numpy as np
import pytest
import torch

from rethink_det.training.generators import mixed, seeded


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


def test_a_mixed_seed_is_of_all_its_numbers_and_their_order():
    pairs = [(one, other) for one in range(40) for other in range(40)]
    given = [(), (0,), (1,), (1, 0, 0), *pairs]
    seeds = {mixed(*numbers) for numbers in given}
    assert len(seeds) == len(given)
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert mixed(3, 4) == mixed(3, 4) == 332055828  # runs of other releases draw the same


def test_a_number_below_zero_is_no_seed():
    with pytest.raises(ValueError, match='non-negative'):
        mixed(-1, 0)
