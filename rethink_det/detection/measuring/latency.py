"""How long a detector takes for an image, and on what."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch

from rethink_det.training.device import wait_for

SECONDS = 3.0
LEAST, MOST = 5, 50
"""Passes that are timed: as many as fit into the seconds, but within these."""


def median_latency(
    calls: Sequence[Callable[[], object]], device: torch.device, seconds: float = SECONDS
) -> float:
    """Median time of a call in milliseconds, over calls in turns.

    The calls must have been made before: what is done once (choosing kernels, taking memory) is
    not of the latency.

    Args:
        calls: At least one, each the work for one image.
        device: Where it is done; what was asked of a GPU is waited for.
        seconds: After which no further pass is begun.
    """
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < LEAST or (len(times) < MOST and time.perf_counter() - begun < seconds):
        call = calls[len(times) % len(calls)]
        times.append(_timed(call, device))
    return 1000 * statistics.median(times)


def interleaved_latencies(
    networks: Sequence[Sequence[Callable[[], object]]], device: torch.device, seconds: float
) -> list[float]:
    """Median time of each network's calls in milliseconds, over rounds that take them in turns.

    A machine that is busy for a while slows all of them. The order is reversed each round.

    Args:
        networks: Of each the calls, as of :func:`median_latency`.
        device: Where it is done.
        seconds: After which no further round is begun.
    """
    times: list[list[float]] = [[] for _ in networks]
    begun, rounds = time.perf_counter(), 0
    while rounds < LEAST or (rounds < MOST and time.perf_counter() - begun < seconds):
        order = list(range(len(networks)))[:: -1 if rounds % 2 else 1]
        for place in order:
            calls = networks[place]
            times[place].append(_timed(calls[rounds % len(calls)], device))
        rounds += 1
    return [1000 * statistics.median(one) for one in times]


def _timed(call: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call."""
    wait_for(device)
    started = time.perf_counter()
    call()
    wait_for(device)
    return time.perf_counter() - started
