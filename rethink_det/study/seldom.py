"""Doing often what takes longer and longer, at a small part of the time."""

import time
from collections.abc import Callable


class Seldom:
    """Does something when it is time again: at most a part of the time goes into it.

    Args:
        work: What is done, the longer the more often it was.
        part: Of the time.
    """

    def __init__(self, work: Callable[[], object], part: float = 0.05) -> None:
        self._work, self._part = work, part
        self._next = float('-inf')

    def __call__(self, now: bool = False) -> None:
        """Do it if it is time, or ``now``."""
        started = time.monotonic()
        if now or started >= self._next:
            self._work()
            ended = time.monotonic()
            self._next = ended + (ended - started) / self._part
