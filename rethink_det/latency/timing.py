"""Times of calls in turns."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import torch

from rethink_det.training.device import wait_for

LEAST, MOST = 5, 40
SECONDS = 1.5
"""Rounds that are timed: as many as fit into the seconds, but within these."""

PAIRED, MOST_PAIRED = 4.0, 400
"""Seconds for two networks that are compared, and rounds: a burst of other work is outlived."""

Clock = Callable[[], float]


def clock_for(device: torch.device) -> Clock:
    """Seconds, of a CPU with one thread those that it has computed.

    There nothing is waited for, and what other processes take of the machine is no time of the
    network.

    Args:
        device: Where it computes.
    """
    alone = device.type == 'cpu' and torch.get_num_threads() == 1
    return time.thread_time if alone else time.perf_counter


def in_turns(
    calls: Sequence[Callable[[], object]],
    device: torch.device,
    before: Sequence[Callable[[], object]] = (),
    seconds: float = SECONDS,
    clock: Clock | None = None,
) -> list[float]:
    """Seconds of each call, over rounds that take them in turns: the mean of the faster half.

    A machine that is busy for a while slows all of them; what disturbs a call only makes it
    longer. The first round is not counted.

    Args:
        calls: What is timed.
        device: Where it is done; what was asked of a GPU is waited for.
        before: What is done right before each, and not timed; none, or one for each.
        seconds: After which no further round is begun.
        clock: Default: :func:`clock_for` the device.
    """
    times = rounds_of(calls, device, before, seconds, clock)
    return [_faster_half(one) for one in times]


def relative(
    calls: Sequence[Callable[[], object]],
    device: torch.device,
    seconds: float = PAIRED,
    clock: Clock | None = None,
) -> float:
    """How long the second of two calls takes, relative to the first: the median over rounds.

    Arguments as of :func:`in_turns`.

    Args:
        calls: The two.
        device: As there.
        seconds: As there.
        clock: As there.
    """
    first, second = rounds_of(calls, device, (), seconds, clock, MOST_PAIRED)
    return median(b / a for a, b in zip(first, second, strict=True))


def rounds_of(
    calls: Sequence[Callable[[], object]],
    device: torch.device,
    before: Sequence[Callable[[], object]] = (),
    seconds: float = SECONDS,
    clock: Clock | None = None,
    most: int = MOST,
) -> list[list[float]]:
    """Seconds of each call in each round but the first; arguments as of :func:`in_turns`.

    Args:
        calls: As there.
        device: As there.
        before: As there.
        seconds: As there.
        clock: As there.
        most: Rounds.
    """
    clock = clock or clock_for(device)
    times: list[list[float]] = [[] for _ in calls]
    ends, rounds = time.perf_counter() + seconds, 0
    while rounds <= LEAST or (rounds <= most and time.perf_counter() < ends):
        for place, call in enumerate(calls):
            if before:
                before[place]()
            wait_for(device)
            started = clock()
            call()
            wait_for(device)
            times[place].append(clock() - started)
        rounds += 1
    return [one[1:] for one in times]


def _faster_half(times: Sequence[float]) -> float:
    fast = sorted(times)[: (len(times) + 1) // 2]
    return sum(fast) / len(fast)
