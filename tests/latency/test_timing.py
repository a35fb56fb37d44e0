"""Calls are timed in turns, what comes before is not, and disturbances do not count."""

import time

import pytest
import torch

from rethink_det.latency.timing import LEAST, clock_for, in_turns, relative

CPU = torch.device('cpu')


class Script:
    """A clock that calls put forward."""

    def __init__(self):
        self.now, self.order = 0.0, []

    def call(self, name, *seconds):
        turns = iter(seconds * 20)

        def run():
            self.order.append(name)
            self.now += next(turns)

        return run


def test_disturbed_rounds_and_what_comes_before_are_left_out():
    script = Script()
    calls = [script.call('a', 1, 1, 9), script.call('b', 2)]
    before = [script.call('-', 50), script.call('-', 50)]
    times = in_turns(calls, CPU, before, seconds=0, clock=lambda: script.now)
    assert times == [1, 2]
    assert script.order == ['-', 'a', '-', 'b'] * (LEAST + 1)


def test_two_are_compared_round_by_round():
    script = Script()
    calls = [script.call('a', 1, 2, 30), script.call('b', 2, 4, 30)]
    assert relative(calls, CPU, seconds=0, clock=lambda: script.now) == 2


def test_one_thread_is_timed_by_what_it_computes():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert clock_for(CPU) is time.thread_time
        torch.set_num_threads(2)
        assert clock_for(CPU) is time.perf_counter
    finally:
        torch.set_num_threads(before)


def test_an_error_of_a_call_is_no_time():
    with pytest.raises(ZeroDivisionError):
        in_turns([lambda: 1 / 0], CPU, seconds=0)
