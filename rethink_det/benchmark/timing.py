"""Times of calls side by side, and the memory of this process."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch

from rethink_det.errors import UserError

Times = dict[str, list[float]]
"""Seconds of every round, by what was timed."""


def compare(
    calls: Mapping[str, Callable[[], object]],
    rounds: int,
    images: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """:func:`measure`, then :func:`report`."""
    report(measure(calls, rounds, clock), images)


def measure(
    calls: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Time calls in turns, since a busy machine slows all; each is called once before.

    Args:
        calls: What to time, by name.
        rounds: How often; the order is reversed each time.
        clock: In seconds; :func:`time.process_time` leaves out what other processes take.

    Raises:
        UserError: ``rounds`` is below 1.
    """
    if rounds < 1:
        raise UserError(f'There must be at least 1 round of timings, got {rounds}.')
    times: Times = {name: [] for name in calls}
    for call in calls.values():
        call()
    names = list(calls)
    for number in range(rounds):
        for name in names if number % 2 else names[::-1]:
            started = clock()
            calls[name]()
            times[name].append(clock() - started)
    return times


def report(times: Times, images: int = 0) -> None:
    """Print medians, and the first of ``times`` relative to each of the others.

    Args:
        times: As measured in turns.
        images: That each call took; their rates are told and compared then, not the times.
    """
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        rate = f', {images / median:,.0f} images/s' if images else ''
        print(f'  {name}: median {1000 * median:.2f} ms{rate}')
    ours, *peers = times
    for peer in peers:
        # Twice the rate is half the time.
        of, unit = (peer, ours), ' in images/s'
        if not images:
            of, unit = (ours, peer), ''
        print(
            f'  {ours} / {peer}{unit}: {medians[of[0]] / medians[of[1]]:.4f} of medians, '
            f'median {paired(times[of[0]], times[of[1]]):.4f} of {len(times[ours])} pairs'
        )


def paired(times: list[float], others: list[float]) -> float:
    """Median of the ratios within rounds, which a machine that is busy now and then leaves be."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread, whose processor time is then that of the work alone."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def peak_memory() -> int:
    """The most memory that this process ever held, in bytes; not on Windows."""
    import resource  # missing there, and not worth the whole command line

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else 1024 * peak
