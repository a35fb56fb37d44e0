"""Ctrl-C: the first lets what goes on finish, the second ends at once, in real processes."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from rethink_det.study.interrupts import STATUS, Interrupts, leave_to_the_study

pytestmark = pytest.mark.usefixtures('ctrl_c_heard')
FORK = multiprocessing.get_context('fork')


def work(pipe, tidy=lambda: None, forks=False):
    """Loops until it was asked to end and is told to."""
    os.setpgid(0, 0)
    with Interrupts(lambda: pipe.send('told'), tidy) as interrupts:
        if forks and not os.fork():
            time.sleep(30)
            os._exit(0)
        pipe.send('ready')
        while not (interrupts.asked and pipe.poll()):
            time.sleep(0.01)
    os._exit(7)


@pytest.fixture
def start():
    """Starts it in a process group of its own, which ends with the test."""
    started = []

    def make(**options):
        ours, theirs = FORK.Pipe()
        process = FORK.Process(target=work, args=(theirs,), kwargs=options)
        process.start()
        started.append(process)
        assert ours.poll(30) and ours.recv() == 'ready'
        return process, ours

    yield make
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        process.join()


def test_after_the_first_it_goes_on_until_it_is_done(start):
    process, pipe = start()
    os.kill(process.pid, signal.SIGINT)
    assert pipe.poll(30) and pipe.recv() == 'told'
    assert process.is_alive()
    pipe.send('done')
    process.join(30)
    assert process.exitcode == 7


@pytest.mark.parametrize('tidy', [lambda: None, lambda: 1 / 0, lambda: time.sleep(600)])
def test_the_second_ends_it_whatever_it_does(start, tidy):
    process, pipe = start(tidy=tidy)
    os.kill(process.pid, signal.SIGINT)
    assert pipe.poll(30) and pipe.recv() == 'told'
    os.kill(process.pid, signal.SIGINT)
    process.join(30)
    assert process.exitcode == STATUS


def test_a_process_that_was_forked_to_load_data_stays_and_says_nothing(start):
    process, pipe = start(forks=True)
    os.killpg(process.pid, signal.SIGINT)
    assert pipe.poll(30) and pipe.recv() == 'told'
    assert not pipe.poll(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    os.killpg(process.pid, 0)  # raises if nobody is left


def test_the_handler_of_before_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupts(print, print):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_where_ctrl_c_was_ignored_it_stays_so():
    before = signal.getsignal(signal.SIGINT)
    try:
        leave_to_the_study()
        with Interrupts(print, print):
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_beside_the_main_thread_nothing_is_taken():
    before, seen = signal.getsignal(signal.SIGINT), []

    def elsewhere():
        with Interrupts(print, print) as interrupts:
            seen.append((interrupts.asked, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
