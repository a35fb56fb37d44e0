"""Times of calls side by side, and the memory of this process."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping

from rethink_det.errors import UserError


def compare(calls: Mapping[str, Callable[[], object]], rounds: int) -> None:
    """Time calls in turns, since a busy machine slows all; print the comparison.

    Args:
        calls: What to time, by name; the others are compared to the first.
        rounds: How often; the order is reversed each time.

    Raises:
        UserError: ``rounds`` is below 1.
    """
    if rounds < 1:
        raise UserError(f'There must be at least 1 round of timings, got {rounds}.')
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for number in range(rounds):
        for name in list(calls) if number % 2 else reversed(calls):
            started = time.perf_counter()
            calls[name]()
            times[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        print(f'  {name}: median {1000 * median:.2f} ms')
    ours, *peers = times
    for peer in peers:
        ratios = [a / b for a, b in zip(times[ours], times[peer], strict=True)]
        print(
            f'  {ours} / {peer}: {medians[ours] / medians[peer]:.4f} of medians, '
            f'median {statistics.median(ratios):.4f} of {rounds} pairs'
        )


def peak_memory() -> int:
    """The most memory that this process ever held, in bytes; not on Windows."""
    import resource  # missing there, and not worth the whole command line

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else 1024 * peak
