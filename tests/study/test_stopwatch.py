"""The time of a run is that of all its attempts, also of those that were killed."""

import json
import os

import pytest
import torch

from rethink_det.layout import CONSOLE, PROGRESS, RECIPE, TIMES
from rethink_det.report.spent import CPU
from rethink_det.study import stopwatch
from rethink_det.study.stopwatch import Stopwatch

NOW = 1_000_000.0


@pytest.fixture(autouse=True)
def on_a_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 4)


@pytest.fixture
def clock(monkeypatch):
    """Sets the time."""

    def at(seconds):
        monkeypatch.setattr(stopwatch.time, 'time', lambda: NOW + seconds)
        monkeypatch.setattr(stopwatch.time, 'perf_counter', lambda: seconds)

    return at


def touch(path, seconds):
    path.write_text('')
    os.utime(path, (NOW + seconds, NOW + seconds))


def test_one_attempt(clock, tmp_path):
    clock(0)
    watch = Stopwatch(tmp_path)
    clock(30)
    times = watch.stop()
    assert times.complete and times.seconds == 30
    assert times.device_s == {CPU: 120}


def test_one_that_was_killed_lasted_until_its_last_sign_of_life(clock, tmp_path):
    clock(0)
    Stopwatch(tmp_path)
    touch(tmp_path / PROGRESS, 100)
    os.utime(tmp_path / TIMES, (NOW, NOW))
    touch(tmp_path / RECIPE, 5000)  # the next attempt writes it before anything else
    clock(5000)
    watch = Stopwatch(tmp_path)
    clock(5020)
    times = watch.stop()
    assert times.seconds == 120 and times.device_s == {CPU: 480}
    assert times.complete


def test_attempts_of_an_older_release_are_missed(clock, tmp_path):
    (tmp_path / CONSOLE).write_text('began')
    clock(0)
    watch = Stopwatch(tmp_path)
    clock(7)
    times = watch.stop()
    assert (times.complete, times.seconds) == (False, 7)


@pytest.mark.parametrize('text', ['', '{', '[]', '{"sittings": 3}', '{"version": 99}'])
def test_a_damaged_file_costs_what_stood_there_and_no_run(clock, tmp_path, text):
    (tmp_path / TIMES).write_text(text)
    (tmp_path / CONSOLE).write_text('began')
    clock(0)
    watch = Stopwatch(tmp_path)
    clock(3)
    assert not watch.stop().complete
    assert json.loads((tmp_path / TIMES).read_text())['sittings'][0]['seconds'] == 3
