"""What is given to all pruners whose target is known beforehand."""

import pytest

from rethink_det import UserError
from rethink_det.pruning import L1NormPruner, RandomPruner


def test_a_single_pattern_is_a_list_of_one():
    assert L1NormPruner(ratios=0.5, skip='layer1.*').skip == ['layer1.*']


@pytest.mark.parametrize('target', [5, ['resnet56-a'], True])
def test_a_target_of_no_form_is_refused(target):
    with pytest.raises(UserError, match=f'by name, file, dict .*, got a {type(target).__name__}'):
        L1NormPruner(target=target)


@pytest.mark.parametrize('fewest', [0, -1, 1.5, '2'])
def test_fewest_channels_that_are_no_count_are_refused(fewest):
    with pytest.raises(UserError, match='RandomPruner: min_channels must be .* at least 1, got'):
        RandomPruner(ratios=0.5, min_channels=fewest)


@pytest.mark.parametrize('skip', [3, None, ['layer1.*', 3]], ids=str)
def test_what_is_no_list_of_patterns_is_not_skipped(skip):
    with pytest.raises(UserError, match='L1NormPruner: skip must be a list of layer name patterns'):
        L1NormPruner(ratios=0.5, skip=skip)
