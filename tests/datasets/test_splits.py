"""The part held out for validation: balanced, disjoint from training, the same for ever."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.datasets.splits import choose, stored_split

CLASSES = ('a', 'b', 'c')
LABELS = torch.arange(90) % 3


def test_train_and_val_are_the_whole_and_share_nothing():
    train, val = (choose(LABELS, CLASSES, split, val=30) for split in ('train', 'val'))
    assert sorted(train.tolist() + val.tolist()) == list(range(90))
    assert LABELS[val].bincount().tolist() == [10, 10, 10]
    assert train.tolist() == sorted(train.tolist())


def test_what_is_held_out_never_changes():
    state = torch.get_rng_state()
    assert choose(LABELS, CLASSES, 'val', val=9).tolist() == HELD_OUT
    assert torch.equal(torch.get_rng_state(), state)


def test_the_test_set_is_whole_and_a_limit_comes_last():
    assert len(choose(LABELS, CLASSES, 'test', val=30)) == 90
    held = choose(LABELS, CLASSES, 'val', val=30)
    assert set(choose(LABELS, CLASSES, 'val', val=30, limit=6).tolist()) < set(held.tolist())


@pytest.mark.parametrize('val', [-3, 4, 90, 120])
def test_refuses_to_hold_out_what_does_not_fit(val):
    with pytest.raises(UserError, match=f'val={val}: expected a multiple of 3'):
        choose(LABELS, CLASSES, val=val)


def test_val_needs_a_number():
    assert [stored_split(split, 3) for split in ('train', 'val', 'test')] == [
        'train',
        'train',
        'test',
    ]
    with pytest.raises(UserError, match='set val to the number'):
        stored_split('val', 0)


HELD_OUT = [3, 6, 7, 15, 22, 59, 64, 71, 83]


@pytest.mark.parametrize('val', [30.0, '30', True])
def test_refuses_to_hold_out_what_is_no_count(val):
    with pytest.raises(UserError, match=f'val={val!r}: expected a multiple of 3'):
        choose(LABELS, CLASSES, val=val)
