"""Where runs meet: one runs at a time, and the last to arrive computes for all."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.training.together.group import run_together
from rethink_det.training.together.meeting import Arrival, Meeting, attended_here
from rethink_det.training.together.place import Place
from rethink_det.training.together.side_by_side import Losses, Step


class Scale(torch.nn.Module):
    """A model of one number, whose loss is its mean product with the images."""

    def __init__(self, value):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(float(value)))

    def forward(self, inputs, gt_label, mode):
        return {'loss': (self.weight * inputs).mean()}


def arrival(number, size, kind=()):
    step = Step(Losses(Scale(number)), torch.ones(2, 3, 4, 4), torch.zeros(2, dtype=torch.long))
    return Arrival(Place(number, size), kind, step)


def losses(steps, size, kind=(), seen=None):
    """A run of so many steps: the losses that it was told."""
    meeting, number = attended_here()
    found = []
    for step in range(steps):
        if seen is not None:
            seen.append((number, step))
        found.append(meeting.step(number, arrival(number, size, kind)).loss.item())
    return found


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_each_is_told_its_own_however_long_the_others_are(lengths):
    ended = run_together([partial(losses, steps, len(lengths)) for steps in lengths])
    for number, (one, steps) in enumerate(zip(ended, lengths, strict=True)):
        assert one.error is None and one.value == [number] * steps


def test_none_is_a_step_ahead_of_another():
    seen = []
    run_together([partial(losses, 4, 3, seen=seen) for _ in range(3)])
    for step in range(4):
        assert sorted(seen[3 * step : 3 * step + 3]) == [(n, step) for n in range(3)]


def test_those_of_other_kinds_or_of_one_place_are_computed_beside_each_other():
    kinds = [('a',), ('b',), ('a',)]
    ended = run_together([partial(losses, 2, 3, kind) for kind in kinds])
    assert [one.value for one in ended] == [[0, 0], [1, 1], [2, 2]]

    def same_place(number):
        meeting, own = attended_here()
        return meeting.step(own, arrival(0, 4)).loss.item()

    assert [one.value for one in run_together([partial(same_place, n) for n in range(3)])] == [
        0
    ] * 3


def test_what_fails_in_a_step_fails_for_all_of_it_and_what_fails_before_for_one():
    def broken(number):
        meeting, own = attended_here()
        if number == 2:
            raise KeyError('alone')
        one = arrival(own, 3)
        return meeting.step(own, Arrival(one.place, one.kind, Step(one.step.losses, None, None)))

    ended = run_together([partial(broken, number) for number in range(3)])
    assert [type(one.error) for one in ended] == [AttributeError, AttributeError, KeyError]
    assert "raise KeyError('alone')" in ended[2].trace


def test_nobody_attends_outside():
    assert attended_here() is None
    with Meeting(1).attended(0):
        assert attended_here()[1] == 0
    assert attended_here() is None
    with pytest.raises(KeyError), Meeting(1).attended(0):
        raise KeyError
    assert attended_here() is None
