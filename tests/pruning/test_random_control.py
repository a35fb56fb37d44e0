"""Filters at random: by the seed alone, evenly, and each layer for itself."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.pruning import RandomPruner


def test_a_random_choice_is_even_handed():
    conv = torch.nn.Conv2d(1, 4, 1)
    first = [RandomPruner(seed, ratios=0.5).score('a', conv).argmax().item() for seed in range(400)]
    counts = torch.tensor(first).bincount(minlength=4)
    assert counts.sum() == 400 and counts.min() > 65 and counts.max() < 135


def test_a_random_choice_differs_between_layers():
    conv = torch.nn.Conv2d(1, 8, 1)
    one, other = (RandomPruner(0, ratios=0.5).score(layer, conv) for layer in ('a', 'b'))
    assert not torch.equal(one, other)


@pytest.mark.parametrize('seed', [-1, 1.5, '1', None])
def test_a_seed_that_is_no_count_is_refused(seed):
    with pytest.raises(UserError, match='RandomPruner: seed must be a whole number of at least 0'):
        RandomPruner(ratios=0.5, seed=seed)
