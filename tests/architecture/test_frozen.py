"""A frozen mapping is a dictionary in everything but that it cannot be changed."""

import pickle
from collections.abc import Mapping
from copy import copy, deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.architecture.frozen import FrozenMapping, freeze
from rethink_det.files import plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
DICTS = st.dictionaries(st.text(), VALUES)


@given(DICTS)
def test_it_has_the_items_of_its_dictionary(items):
    frozen = FrozenMapping(items)
    assert list(frozen) == list(items) and len(frozen) == len(items)
    assert all(frozen[key] == freeze(value) for key, value in items.items())
    assert frozen == FrozenMapping(items) == freeze(items)
    assert frozen == dict(frozen) and frozen != {**items, 'one more': 1}


@given(DICTS)
def test_equal_ones_have_the_same_hash_in_whatever_order(items):
    backwards = dict(reversed(items.items()))
    assert hash(FrozenMapping(items)) == hash(FrozenMapping(backwards))
    assert len({FrozenMapping(items), FrozenMapping(backwards)}) == 1


@given(DICTS)
def test_copies_and_pickles_are_equal(items):
    frozen = FrozenMapping(items)
    for other in (copy(frozen), deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):
        assert other == frozen and hash(other) == hash(frozen) and list(other) == list(frozen)


def _walk(value):
    yield value
    inner = value.values() if isinstance(value, Mapping) else ()
    for part in inner if isinstance(value, Mapping) else value if type(value) is tuple else ():
        yield from _walk(part)


@given(DICTS)
def test_nothing_in_it_can_be_changed(items):
    for part in _walk(FrozenMapping(items)):
        assert not isinstance(part, (dict, list, set))
        for change in ('__setitem__', '__delitem__', 'update', 'pop', 'clear', 'append'):
            assert not hasattr(part, change)


def test_what_it_was_made_of_can_change_without_it():
    source = {'norm_cfg': {'type': 'BN'}, 'stages': [1, 2]}
    frozen = FrozenMapping(source)
    source['norm_cfg']['type'] = 'GN'
    source['stages'].append(3)
    assert frozen == {'norm_cfg': {'type': 'BN'}, 'stages': (1, 2)}


def test_changes_are_refused():
    frozen = FrozenMapping({'a': 1})
    with pytest.raises(TypeError, match='does not support item assignment'):
        frozen['a'] = 2
    with pytest.raises(TypeError, match='does not support item deletion'):
        del frozen['a']
    with pytest.raises(AttributeError):
        frozen.b = 2
    with pytest.raises(KeyError, match='b'):
        frozen['b']


@given(DICTS)
def test_plain_gives_fresh_dictionaries(items):
    one, other = plain(FrozenMapping(items)), plain(FrozenMapping(items))
    assert one == other == plain(items)
    one['new'] = 1
    assert one != other
