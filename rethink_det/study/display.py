"""Showing a study's progress: a line a finished run, and live bars on a terminal."""

import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from rethink_det.layout import folders_of
from rethink_det.report import run_times
from rethink_det.report.pace import Kind, Pace, duration
from rethink_det.report.run_result import RunResult
from rethink_det.report.run_times import read_progress
from rethink_det.study.nodes import Run


class Display:
    """Says what starts, what is done and how long the rest will take.

    On a terminal every running run has a bar with the time it still needs; elsewhere a line a
    minute says how far it is.

    Args:
        runs: All runs of the study.
        work_dir: Folder of the study.
        workers: How many go on at a time.
        every: Seconds between two such lines of a run.
    """

    def __init__(
        self, runs: Iterable[Run], work_dir: Path, workers: int = 1, every: float = 60.0
    ) -> None:
        self.runs, self.work_dir, self._workers = list(runs), work_dir, workers
        self._started, self._pace = time.monotonic(), Pace()
        self._begun: dict[str, float] = {}
        self._every = every
        self._trained: dict[str, _Trained] = {}
        self._over_with: set[str] = set()
        # A run in this process redirects sys.stderr: hold on to the real one.
        self._console = Console(file=sys.stderr)
        self._bars = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> 'Display':
        self._bars.start()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bars away."""
        self._over.set()
        self._bars.stop()

    def start(self, run: Run) -> None:
        """A run has been handed out."""
        self._begun[run.key] = time.monotonic()
        self._trained.pop(run.key, None)
        self._tasks[run.key] = self._bars.add_task(run.key, total=None)

    def end(self, run: Run, text: str, result: RunResult | None) -> None:
        """A run is over; ``text`` says how. It has no result if it failed."""
        self._bars.remove_task(self._tasks.pop(run.key))
        self._over_with.add(run.key)
        if result is not None:
            self._pace.learn(result)
        elapsed = duration(time.monotonic() - self._started)
        self.say(
            f'[{len(self._over_with):>3}/{len(self.runs)}] {run.key}  {text}  '
            f'({elapsed} so far, {self._remaining()})'
        )

    def again(self, run: Run, why: str) -> None:
        """The process of a run is gone, ``why``; it will be handed out once more."""
        self.later(run, f'{why}; the run is tried again from its last checkpoint')

    def later(self, run: Run, why: str) -> None:
        """A run is handed out again another time; ``why`` is said if it is not empty."""
        self._bars.remove_task(self._tasks.pop(run.key))
        if why:
            self.say(f'{run.key}  {why}')

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def finishing(self) -> None:
        """Say what is waited for after a first Ctrl-C."""
        running = ', '.join(f'{key}{self._how_far(key)}' for key in self._tasks)
        self.say(
            f'Finishing {running or "what is under way"}, and starting nothing more; Ctrl-C again '
            'ends at once. The same command continues in either case.'
        )

    def _how_far(self, key: str) -> str:
        progress = self._progress(key)
        return f' (iteration {progress.done} of {progress.total})' if progress.total else ''

    def _remaining(self) -> str:
        """How long the rest takes, as long as nothing unlike what is done is left."""
        now, total = time.monotonic(), 0.0
        for run in self.runs:
            if run.key in self._over_with:
                continue
            usual = self._pace.seconds(Kind(run.stage, run.model, run.arm))
            if usual is None:
                return 'how long the rest takes is not known yet'
            total += max(0.0, usual - (now - self._begun.get(run.key, now)))
        side_by_side = max(1, min(self._workers, len(self.runs) - len(self._over_with)))
        return f'about {duration(total / side_by_side)} left'

    def _watch(self) -> None:
        while not self._over.wait(min(1.0, self._every)):
            for key, task in list(self._tasks.items()):
                progress = self._progress(key)
                if not progress.total or task not in self._bars.task_ids:
                    continue
                self._bars.update(task, completed=progress.done, total=progress.total)
                if not self._console.is_terminal:
                    self._tell(key, progress)

    def _tell(self, key: str, progress: run_times.Progress) -> None:
        """Print a line of a run, if the last is long ago; the first is not worth one."""
        now = time.monotonic()
        first = self._trained.setdefault(key, _Trained(now, progress.done, now))
        if progress.done < first.done:  # that was of another recipe, done before
            first = self._trained[key] = _Trained(now, progress.done, now)
        if now - first.told < self._every or progress.done == first.done:
            return
        self._trained[key] = first._replace(told=now)
        rate = (now - first.since) / (progress.done - first.done)
        epoch = f'epoch {progress.epoch} of {progress.epochs}, ' if progress.epochs else ''
        loss = '' if progress.loss is None else f'loss {progress.loss:.4g}, '
        left = duration(rate * (progress.total - progress.done))
        self.say(f'{key}  {epoch}{loss}about {left} of training left')

    def _progress(self, key: str) -> run_times.Progress:
        """How far a run is."""
        folders = folders_of(self.work_dir, key)
        return read_progress(folders[-1]) if folders else run_times.Progress()


class _Trained(NamedTuple):
    """Of a run's training what was seen first, and when a line of it was printed last.

    What was trained before, until a kill, says nothing of how fast it is now.
    """

    since: float
    done: int
    told: float
