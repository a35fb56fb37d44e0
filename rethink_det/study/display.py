"""Showing a study's progress: a line a finished run, and live bars on a terminal."""

import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from rethink_det.layout import run_folder
from rethink_det.study.nodes import Run
from rethink_det.training.hooks.progress import read_progress


class Display:
    """Says what starts, what is done and how long the rest will take.

    On a terminal every running run has a bar with the time it still needs; elsewhere there
    are only the lines.

    Args:
        runs: All runs of the study.
        work_dir: Folder of the study.
    """

    def __init__(self, runs: Iterable[Run], work_dir: Path) -> None:
        self.runs, self.work_dir = list(runs), work_dir
        self._started = time.monotonic()
        self._begun: dict[str, float] = {}
        self._took: dict[str, float] = {}
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
        self._over.set()
        self._bars.stop()

    def start(self, run: Run) -> None:
        """A run has been handed out."""
        self._begun[run.key] = time.monotonic()
        self._tasks[run.key] = self._bars.add_task(run.key, total=None)

    def end(self, run: Run, text: str) -> None:
        """A run is over; ``text`` says how."""
        self._bars.remove_task(self._tasks.pop(run.key))
        self._took[run.key] = time.monotonic() - self._begun[run.key]
        elapsed = (time.monotonic() - self._started) / 60
        left = self._remaining() / 60
        self._console.print(
            f'[{len(self._took):>3}/{len(self.runs)}] {run.key}  {text}  '
            f'({elapsed:.1f} min so far, about {left:.0f} min left)',
            soft_wrap=True,
            markup=False,
            highlight=False,
        )

    def again(self, run: Run) -> None:
        """The process of a run died; it will be handed out once more."""
        self._bars.remove_task(self._tasks.pop(run.key))
        self._console.print(
            f'{run.key}  its process died; the run is tried again from its last checkpoint',
            soft_wrap=True,
            markup=False,
            highlight=False,
        )

    def _remaining(self) -> float:
        """Seconds left at the present pace.

        Open runs are taken to last as long as finished ones of their kind.
        """
        times = [(run, self._took[run.key]) for run in self.runs if run.key in self._took]
        total = 0.0
        for run in self.runs:
            if run.key not in self._took:
                alike = [t for r, t in times if (r.stage, r.model) == (run.stage, run.model)]
                alike = alike or [t for r, t in times if r.stage == run.stage]
                total += fmean(alike or [t for _, t in times])
        elapsed = time.monotonic() - self._started
        return total * min(1.0, elapsed / sum(t for _, t in times))

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            for key, task in list(self._tasks.items()):
                folders = list(self.work_dir.glob(str(run_folder(key, '*'))))
                newest = max(folders, key=lambda f: f.stat().st_mtime, default=None)
                done, total = read_progress(newest) if newest else (0, 0)
                if total and task in self._bars.task_ids:
                    self._bars.update(task, completed=done, total=total)
