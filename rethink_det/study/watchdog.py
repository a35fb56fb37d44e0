"""A run that makes no progress is ended, so that a study never hangs.

A deadlock looks like work from outside: data loaders that wait for shared memory, a driver that
does not answer. What tells is that no file in the run's folder changes any more: a training says
every second how far it is, tests and pruners log.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from pathlib import Path
from types import FrameType

from rethink_det.layout import run_folder
from rethink_det.report.run_lock import Owner, owner_of
from rethink_det.study.group_run import job_of
from rethink_det.study.nodes import Run

LOOK = 30.0
"""Seconds between two looks at most."""


class Stalled(BrokenExecutor):
    """A run in this process made no progress and was ended."""


class Watchdog:
    """Looks at the folders of running runs, and ends the processes of those that stand still.

    Args:
        work_dir: Folder of the study.
        minutes: Without progress after which a run is ended; 0: never.
        executor: Where runs are executed.
        active: Those that are handed out.

    Attributes:
        stopped: Keys of the runs that were ended.
    """

    def __init__(
        self, work_dir: Path, minutes: float, executor: Executor, active: Mapping[Future, Run]
    ) -> None:
        self.stopped: set[str] = set()
        self._work_dir, self._seconds = work_dir, 60 * minutes
        self._executor, self._active = executor, active
        self._signs: dict[str, tuple[object, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._before: Callable | int | None = None

    def __enter__(self) -> 'Watchdog':
        if self._seconds and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGUSR1, _raise)
        if self._seconds:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._before is not None:
            signal.signal(signal.SIGUSR1, self._before)

    def begin(self, run: Run) -> None:
        """A run is about to be handed out."""
        self._signs[run.key] = None, time.monotonic()
        self.stopped.discard(run.key)

    def end(self, run: Run) -> None:
        """A run is over."""
        self._signs.pop(run.key, None)

    def _watch(self) -> None:
        while not self._over.wait(min(LOOK, self._seconds / 4)):
            for key in list(self._signs):
                with suppress(OSError):
                    self._look(key)

    def _look(self, key: str) -> None:
        for folder in self._work_dir.glob(str(run_folder(key, '*'))):
            owner = owner_of(folder)
            if owner is not None and self._stands_still(key, folder):
                self._stop(key, owner)

    def _stands_still(self, key: str, folder: Path) -> bool:
        status = [path.stat() for path in folder.rglob('*') if path.is_file()]
        sign = sorted((one.st_mtime_ns, one.st_size) for one in status)
        known, since = self._signs.get(key, (None, time.monotonic()))
        if sign != known:
            since = time.monotonic()
        if key in self._signs:
            self._signs[key] = sign, since
        return time.monotonic() - since > self._seconds

    def _stop(self, key: str, owner: Owner) -> None:
        """End the process of a run, if it is one of this study's."""
        future = next((f for f, run in list(self._active.items()) if run.key == key), None)
        mine = owner.pid == os.getpid()
        if owner.is_here and mine and self._before is not None:
            if key in self.stopped:  # and it is deaf
                os.write(2, f'{key} stands still and cannot be ended: start again\n'.encode())
                os._exit(1)
            self._note(key)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        elif owner.is_here and _parent(owner.pid) == os.getpid():
            self._note(key)
            _kill(owner.pid)
        elif future is not None and hasattr(self._executor, 'end'):
            self._note(key)
            self._executor.end(job_of(future))

    def _note(self, key: str) -> None:
        self.stopped.add(key)
        self._signs[key] = None, time.monotonic()


def _raise(_: int, __: FrameType | None) -> None:
    raise Stalled('no progress')


def _parent(pid: int) -> int | None:
    """The process that started another; None if it is gone."""
    try:
        return int(Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[1])
    except OSError:
        return None


def _kill(pid: int) -> None:
    """End a process and what it started, data loaders, say."""
    children: list[str] = []
    with suppress(OSError):
        children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    for child in children:
        _kill(int(child))
