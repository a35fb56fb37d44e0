"""What takes longer and longer is done seldom, and at last."""

import pytest

from rethink_det.study import seldom
from rethink_det.study.seldom import Seldom


@pytest.fixture
def clock(monkeypatch):
    """A clock that work moves on."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(seldom, 'time', made)
    return made


@pytest.mark.parametrize('cost', [0.01, 1.0, 30.0])
def test_it_takes_a_small_part_of_the_time(clock, cost):
    spent, started = 0.0, clock.now

    def work():
        nonlocal spent
        spent += cost
        clock.now += cost

    often = Seldom(work, part=0.05)
    for _ in range(5000):
        often()
        clock.now += 1.0
    assert 0 < spent <= 0.05 * (clock.now - started) + cost


def test_what_costs_nothing_is_done_each_time(clock):
    done = []
    often = Seldom(lambda: done.append(clock.now))
    for _ in range(3):
        often()
        clock.now += 1
    assert len(done) == 3


def test_when_it_must_be_it_is_done(clock):
    done = []

    def work():
        done.append(clock.now)
        clock.now += 60

    often = Seldom(work)
    often()
    often()
    assert len(done) == 1
    often(now=True)
    assert len(done) == 2
