"""Ctrl-C while a study runs: the first lets what goes on finish, the second ends at once."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

STATUS = 130
"""Exit status of what Ctrl-C ended."""
PATIENCE = 3.0
"""Seconds for what is to be tidied up before the second ends the process."""


class Interrupts:
    """Takes Ctrl-C while it is open, in the main thread, unless it was ignored before.

    Args:
        tell: Says what is waited for; called at the first.
        tidy: Called at the second, before the process ends.

    Attributes:
        asked: Whether there was a first: no more is to be started.
    """

    def __init__(self, tell: Callable[[], None], tidy: Callable[[], None]) -> None:
        self.asked = False
        self._tell, self._tidy = tell, tidy
        self._process = os.getpid()
        self._before: Any = signal.SIG_IGN

    def __enter__(self) -> 'Interrupts':
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            if self._before != signal.SIG_IGN:
                signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before != signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._before)

    def _take(self, *_: object) -> None:
        if os.getpid() != self._process:
            return  # forked from the study, to load data, say: its end is the study's affair
        if self.asked:
            self._end()
        self.asked = True
        self._tell()

    def _end(self) -> None:
        """End this process whatever it does; those that it started see that, and end as well."""
        threading.Timer(PATIENCE, os._exit, (STATUS,)).start()
        with suppress(Exception):
            self._tidy()
        print('ended at once; the same command continues where it stopped', file=sys.__stderr__)
        os._exit(STATUS)


def leave_to_the_study() -> None:
    """Ignore Ctrl-C in this process, which a terminal sends to all: the study decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
