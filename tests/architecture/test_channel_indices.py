"""Counts and indices of channels: what is let through is what a layer can keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture.channel_indices import (
    as_ranges,
    check_indices,
    check_kept,
    is_int,
    other_indices,
)


@given(st.sets(st.integers(0, 40), min_size=1).map(sorted))
def test_a_text_of_ranges_is_read_as_the_indices_that_it_was_made_of(kept):
    text = as_ranges(kept)
    assert check_indices('conv would keep', text) == check_kept('conv would keep', text)
    assert check_indices('conv would keep', text) == tuple(kept)
    assert len(text.split(',')) == sum(i - 1 not in kept for i in kept)


@pytest.mark.parametrize(
    'text', ['', '3', '012', '3-1', '0-3,2', '5,5', '1-', 'a', '0-9999999', '-1', '1, 2']
)
def test_a_text_that_is_no_rising_ranges_is_refused(text):
    with pytest.raises(UserError, match=r'^conv would keep (\'|no )'):
        check_indices('conv would keep', text)
    with pytest.raises(UserError, match='^conv would keep '):
        check_kept('conv would keep', text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.lists(st.integers(-2, 9)), st.none() | st.integers(1, 8))
def test_indices_are_let_through_if_a_network_of_that_width_has_them(kept, width):
    possible = range(10 if width is None else width)
    right = bool(kept) and kept == sorted(set(kept)) and set(kept) <= set(possible)
    if right:
        assert check_indices('conv would keep', kept, width) == tuple(kept)
    else:
        with pytest.raises(UserError, match='^conv would keep '):
            check_indices('conv would keep', kept, width)


@given(st.integers(-3, 12), st.none() | st.integers(1, 8))
def test_counts_are_let_through_from_one_to_the_width(count, width):
    if 1 <= count <= (12 if width is None else width):
        assert check_kept('conv would keep', count, width) == count
    else:
        with pytest.raises(UserError, match=f'^conv would keep {count} channels; '):
            check_kept('conv would keep', count, width)


@given(ANYTHING, st.none() | st.integers(1, 8))
def test_anything_else_is_refused_by_the_layers_name(value, width):
    try:
        kept = check_kept('layer conv would keep', value, width)
    except UserError as error:
        assert str(error).startswith('layer conv would keep ')
    else:
        assert kept == value if is_int(value) else kept == check_indices('conv', value)


@given(st.integers(1, 20).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_the_others_are_all_that_are_not_kept(case):
    width, kept = case
    others = other_indices(sorted(kept), width)
    assert others == sorted(others) and not set(others) & kept
    assert set(others) | kept == set(range(width))


@pytest.mark.parametrize(
    'kept, width, message',
    [
        ((), 4, 'conv would keep no channel; at least 1 must remain'),
        ((2, 1), 4, r'conv would keep channels \[2, 1\]; they must be sorted and different'),
        ((1, 1), 4, r'conv would keep channels \[1, 1\]; they must be sorted and different'),
        ((1, 4), 4, 'conv would keep channel 4; valid are 0 to 3'),
        ((-1, 2), 4, 'conv would keep channel -1; valid are 0 to 3'),
        ((-1, 2), None, 'conv would keep channel -1; valid are not negative'),
        ('012', 4, "conv would keep '012'; valid are a count or a list of indices"),
        (True, 4, 'conv would keep True; valid are a count or a list of indices'),
        ([False, True], 4, 'valid are a count or a list of indices'),
        (0, 4, 'conv would keep 0 channels; at least 1 must remain'),
        (5, 4, 'conv would keep 5 channels; valid are 1 to 4'),
    ],
)
def test_a_refusal_says_what_would_be_valid(kept, width, message):
    with pytest.raises(UserError, match=message):
        check_kept('conv would keep', kept, width)


def test_a_count_is_no_list_of_indices():
    with pytest.raises(UserError, match='conv would read 3; valid is a list of indices'):
        check_indices('conv would read', 3, 4)
