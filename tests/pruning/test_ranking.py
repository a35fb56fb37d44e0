"""Which values stay: the largest, the earlier of equals, and never fewer than a layer needs."""

import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.pruning.ranking import (
    check_ratio,
    fewest_count,
    largest,
    never_fewer,
    places,
    strongest,
    top,
)

# Few different ones, so that there are equals.
VALUES = st.lists(st.integers(0, 5), min_size=1, max_size=12).map(
    lambda numbers: torch.tensor(numbers, dtype=torch.float32)
)


def by_sorting(values, count):
    order = sorted(range(len(values)), key=lambda i: (-values[i].item(), i))
    return tuple(sorted(order[:count]))


@given(VALUES, st.integers(0, 12))
def test_the_largest_stay_and_of_equal_ones_the_first(values, count):
    assert top(values, count) == by_sorting(values, count) == places(strongest(values, count))


@given(VALUES, st.floats(0, 0.999))
def test_a_share_goes_by_rank_or_by_threshold(values, ratio):
    gone = int(len(values) * ratio)
    assert places(largest(values, ratio)) == by_sorting(values, len(values) - gone)
    above = largest(values, ratio, strictly_above=True)
    if gone:
        threshold = values.sort().values[gone]
        assert above.tolist() == (values > threshold).tolist()
        assert above.sum() < len(values) - gone
    else:
        assert above.all()


@given(VALUES, st.integers(0, 12), st.integers(0, 15))
def test_a_layer_keeps_its_fewest_and_what_stayed(values, count, fewest):
    kept = strongest(values, count)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        left = never_fewer(kept, values, fewest, 'The threshold would leave conv')
    floor = min(fewest, len(values))
    assert places(left) == by_sorting(values, max(floor, int(kept.sum())))
    assert len(told) == (int(kept.sum()) < floor)


def test_the_warning_says_what_was_left_of_what():
    with pytest.warns(UserWarning, match='^The ratio leaves conv 1 of its 8 groups; it keeps 3'):
        assert fewest_count(1, 8, 3, 'The ratio leaves conv', 'groups') == 3


@pytest.mark.parametrize('ratio', [1, 1.0, -0.1, float('nan'), '0.5', None, True, False])
def test_what_is_no_share_is_refused(ratio):
    with pytest.raises(UserError, match=r'Mine: ratio must be in \[0, 1\), got '):
        check_ratio('Mine: ratio', ratio)
