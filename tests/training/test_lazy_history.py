"""LazyHistory: MMEngine's history of a value, settled only when somebody looks."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.logging import HistoryBuffer, MessageHub

from rethink_det.training.lazy_history import LazyHistory, make_cheap, record


class Unready(torch.Tensor):
    """A tensor that must not be read yet."""

    def tolist(self):
        raise AssertionError('read too early')

    item = __float__ = tolist


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 5), st.booleans()), max_size=30),
    st.integers(1, 12),
)
def test_it_shows_what_mmengines_shows(entries, length):
    ours, peer = LazyHistory([0.5], [2], length), HistoryBuffer([0.5], [2], length)
    for value, count, look in entries:
        ours.update(value, count)
        peer.update(value, count)
        assert ours.current() == peer.current()
        if look:
            assert ours.mean(3) == peer.mean(3) and ours.max() == peer.max()
    for own, column in zip(ours.data, peer.data, strict=True):
        assert np.array_equal(own, column) and own.dtype == column.dtype
    assert ours.statistics('min') == peer.statistics('min')


def test_tensors_are_read_when_somebody_looks_and_not_before():
    history = LazyHistory()
    history.update(torch.zeros(()).as_subclass(Unready))
    with pytest.raises(AssertionError, match='too early'):
        history.current()
    history = LazyHistory([1.0], [1])
    for value in (torch.tensor(2.0), torch.tensor([3.0]), 4):
        history.update(value)
    assert history.current() == 4
    assert history.data[0].tolist() == [1, 2, 3, 4]
    assert history.data[1].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda h: pickle.loads(pickle.dumps(h))])
def test_copies_are_of_mmengines_class(copied):
    history = LazyHistory()
    history.update(torch.tensor(2.0))
    other = copied(history)
    assert type(other) is HistoryBuffer and other.data[0].tolist() == [2.0]
    history.update(3.0)
    assert len(other.data[0]) == 1


def test_a_message_hub_keeps_what_it_had_and_what_it_is_told():
    hub = MessageHub('history')
    hub.update_scalar('train/lr', 0.1)
    hub.update_scalar('val/loss', 1.0)
    make_cheap(hub, 'train/')
    assert type(hub.get_scalar('train/lr')) is LazyHistory
    assert type(hub.get_scalar('val/loss')) is HistoryBuffer
    hub.update_scalar('train/lr', 0.2)
    for value in (torch.tensor(3.0, requires_grad=True), torch.tensor(4.0), 5.0):
        record(hub, 'train/loss', value)
    assert hub.get_scalar('train/lr').data[0].tolist() == [0.1, 0.2]
    assert hub.get_scalar('train/loss').data[0].tolist() == [3.0, 4.0, 5.0]
    saved = hub.state_dict()
    assert saved['resumed_keys']['train/loss'] and 'train/loss' in saved['log_scalars']


def test_what_is_no_single_value_is_refused():
    hub = MessageHub('refusal')
    with pytest.raises(AssertionError):
        record(hub, 'train/loss', torch.ones(2))
