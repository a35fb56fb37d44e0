"""Times are taken in turns, and told as they were measured."""

import re
import time
from functools import partial

import pytest

from rethink_det import UserError
from rethink_det.benchmark.timing import compare, measure, peak_memory, report


def test_everything_is_called_equally_often_in_both_orders(capsys):
    called = []
    compare({name: lambda name=name: called.append(name) for name in 'ab'}, rounds=2)
    assert called == [*'ab', *'ba', *'ab']
    out = capsys.readouterr().out
    assert re.search(r'a / b: [\d.]+ of medians, median [\d.]+ of 2 pairs', out)


def test_memory_is_told_in_bytes():
    assert 100 * 2**20 < peak_memory() < 2**40, 'what torch alone takes, and no computer has'


def test_no_rounds_give_no_median():
    with pytest.raises(UserError, match='at least 1 round'):
        compare({'a': list}, 0)


def test_rates_are_compared_where_images_are_given(capsys):
    report({'ours': [2.0, 2.0, 8.0], 'peer': [4.0, 6.0, 8.0]}, images=12)
    out = capsys.readouterr().out
    assert 'ours: median 2000.00 ms, 6 images/s' in out
    assert 'peer: median 6000.00 ms, 2 images/s' in out
    assert 'ours / peer in images/s: 3.0000 of medians, median 2.0000 of 3 pairs' in out


def test_the_processors_clock_leaves_waiting_out():
    times = measure({'sleep': partial(time.sleep, 0.2)}, 1, time.process_time)
    assert times['sleep'][0] < 0.1
