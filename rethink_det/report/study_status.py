"""What the runs of a study are at: done, running, waiting, failed; and how long the rest takes.

It reads the files of the study's folder alone, which it may be given while the study runs.
"""

import glob
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rethink_det.bounds import is_finite, is_int
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.layout import GRAPH, RECIPE, RESULT, RESULTS, folders_of, lock_file
from rethink_det.report.pace import Kind, Pace, duration
from rethink_det.report.results import StudyResults
from rethink_det.report.run_graph import PlannedRun, RunGraph, study_folder
from rethink_det.report.run_lock import owner_of
from rethink_det.report.run_result import FAILED, RunResult
from rethink_det.report.run_times import read_progress, read_times
from rethink_det.report.schema import read_object

DONE, RUNNING, BROKEN_OFF, READY, WAITING = STATES = (
    'done', 'running', 'broken off', 'to do', 'waiting',
)  # fmt: skip
"""What a run is at; beside these there is :data:`~rethink_det.report.run_result.FAILED`."""
SILENT = 60.0
"""Seconds without a sign of life after which a run is taken for broken off."""


@dataclass(frozen=True)
class RunStatus:
    """What a run is at.

    Attributes:
        key: Of the run.
        state: One of :data:`STATES`, or failed.
        seconds: Of a finished run, how long it took; of one that was begun, how long so far.
        since: When a running one was begun, in seconds since 1970.
        done: Iterations of its training.
        total: All of them; 0 if that is not known.
        epochs: All epochs of its training.
        left: Seconds that it still takes; None if nothing like it is known.
        waits_for: Keys of the runs that it needs and that are not done.
        reason: Why it failed, or has not every metric.
    """

    key: str
    state: str
    seconds: float | None = None
    since: float | None = None
    done: int = 0
    total: int = 0
    epochs: int | None = None
    left: float | None = None
    waits_for: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def told(self) -> str:
        """What there is to say beside key and state."""
        said = []
        if self.since is not None:
            said.append(f'since {datetime.fromtimestamp(self.since):%Y-%m-%d %H:%M}')
        if self.total:
            said.append(self._progress)
        if self.seconds is not None:
            said.append(f'{duration(self.seconds)} so far' if self.state != DONE else self._took)
        if self.left is not None:
            said.append(f'about {duration(self.left)}{" left" if self.done else ""}')
        if self.waits_for:
            said.append(f'for {", ".join(self.waits_for)}')
        return ', '.join([*said, self.reason] if self.reason else said)

    @property
    def _took(self) -> str:
        return duration(self.seconds or 0.0)

    @property
    def _progress(self) -> str:
        of_them = f'iteration {self.done} of {self.total}'
        if not self.epochs:
            return of_them
        epoch = min(self.epochs, 1 + self.done * self.epochs // self.total)
        return f'epoch {epoch} of {self.epochs} ({of_them})'


@dataclass(frozen=True)
class StudyStatus:
    """What a study is at.

    Attributes:
        study: Its name.
        runs: A line each, in the order of the graph.
        left: Seconds until all is done, if as many runs go on at once as now; None if that is
            not known.
        unknown: How many runs are still to be done of which nothing like them has been.
    """

    study: str
    runs: list[RunStatus] = field(default_factory=list)
    left: float | None = None
    unknown: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many runs are at what, without zeros."""
        found = {state: sum(run.state == state for run in self.runs) for state in (*STATES, FAILED)}
        return {state: number for state, number in found.items() if number}

    @property
    def text(self) -> str:
        """All of it, for people."""
        width = max((len(run.key) for run in self.runs), default=0)
        lines = [f'{run.state:10}  {run.key:{width}}  {run.told}'.rstrip() for run in self.runs]
        counts = ', '.join(f'{number} {state}' for state, number in self.counts.items())
        return '\n'.join([*lines, f'{self.study}: {counts}; {self._left}'])

    @property
    def _left(self) -> str:
        if self.left is None:
            return 'how long the rest takes is not known, as nothing like it is done'
        if not any(run.left is not None for run in self.runs):
            return 'nothing is left to do'
        more = f', and {self.unknown} more runs, unlike those done' if self.unknown else ''
        return f'about {duration(self.left)} left{more}'

    def to_dict(self) -> dict[str, Any]:
        """All of it, for ``--json``."""
        return plain({**asdict(self), 'counts': self.counts})


def status_of(work_dir: str | os.PathLike) -> StudyStatus:
    """What the runs of the study in a folder are at.

    Raises:
        UserError: It is no folder of a study, or what it tells of the study is damaged.
    """
    root = study_folder(work_dir)
    rows = StudyResults.read(root) if (root / RESULTS).is_file() else None
    graph = RunGraph.read(root) if rows is None or (root / GRAPH).is_file() else _older(rows)
    failed = [row for row in (rows.runs if rows else ()) if row.key and row.status == FAILED]
    failures = {row.key: row.error or '' for row in failed if row.key}
    finished = {run.key: result for run in graph.runs if (result := _finished(run, root))}
    look = _Look(root, finished, failures, Pace(finished.values()))
    runs = [look.at(run) for run in graph.runs]
    left = [run.left for run in runs if run.state not in (DONE, FAILED)]
    known = [seconds for seconds in left if seconds is not None]
    side_by_side = max(1, sum(run.state == RUNNING for run in runs))
    total = None if left and not known else sum(known) / side_by_side
    return StudyStatus(graph.study, runs, total, len(left) - len(known))


def _older(rows: StudyResults) -> RunGraph:
    """The runs of a study of an older release, as far as its results tell: what trains."""
    runs = {
        row.key: PlannedRun(row.key, row.stage, row.arm, row.model, folder=row.folder)
        for row in rows.runs
        if row.key
    }
    return RunGraph(rows.study, tuple(runs.values()))


def _finished(run: PlannedRun, root: Path) -> RunResult | None:
    """Of the result that the study took, or else the newest, what is needed here, unchecked."""
    folders = [root / run.folder] if run.folder else folders_of(root, run.key)[-1:]
    for folder in folders:
        with suppress(FileNotFoundError, UserError):
            said = read_object(folder / RESULT, '')
            took, error = said.get('wall_s'), said.get('error')
            seconds = took if is_finite(took) else None
            error = None if error is None else f'{error}'
            return RunResult(run.stage, run.arm, 0, {}, run.model, wall_s=seconds, error=error)
    return None


@dataclass(frozen=True)
class _Look:
    """What is known when a run is looked at.

    Attributes:
        root: Folder of the study.
        finished: Results by key.
        failures: Reasons by key.
        pace: Of the finished runs.
    """

    root: Path
    finished: Mapping[str, RunResult]
    failures: Mapping[str, str]
    pace: Pace

    def at(self, run: PlannedRun) -> RunStatus:
        """What a run is at."""
        result = self.finished.get(run.key)
        if result is not None:
            return RunStatus(run.key, DONE, result.wall_s, reason=result.error)
        if run.key in self.failures:
            return RunStatus(run.key, FAILED, reason=_last_line(self.failures[run.key]))
        folder = next(iter(folders_of(self.root, run.key)[-1:]), None)
        usual = self.pace.seconds(Kind(run.stage, run.model, run.arm))
        if folder is not None and (folder / RECIPE).is_file():
            return _begun(run, folder, usual)
        waits = tuple(key for key in run.after if key not in self.finished)
        return RunStatus(run.key, WAITING if waits else READY, left=usual, waits_for=waits)


def _begun(run: PlannedRun, folder: Path, usual: float | None) -> RunStatus:
    """Of a run that is not finished: running, or broken off.

    Args:
        run: The run.
        folder: Its own.
        usual: Seconds that such a run takes; None if nothing like it was done.
    """
    times, (done, total, *_) = read_times(folder), read_progress(folder)
    alive = is_alive(folder)
    since = times.sittings[-1].begun if alive and times and times.sittings else None
    spent = (times.seconds if times else 0.0) + (0.0 if since is None else time.time() - since)
    left = _left(spent, usual, done, total)
    state = RUNNING if alive else BROKEN_OFF
    return RunStatus(run.key, state, spent, since, done, total, _epochs(folder), left)


def _left(spent: float, usual: float | None, done: int, total: int) -> float | None:
    """Seconds that a run still takes; None if nothing tells."""
    if usual is None:
        return spent * (total - done) / done if done else None
    return usual * (1 - done / total) if total else max(0.0, usual - spent)


def _epochs(folder: Path) -> int | None:
    """Of the run's training; None if it has none."""
    try:
        epochs = read_object(folder / RECIPE, '')['recipe']['config']['train_cfg']['max_epochs']
        return epochs if is_int(epochs) else None
    except (FileNotFoundError, UserError, KeyError, TypeError):
        return None


def is_alive(folder: Path) -> bool:
    """Whether somebody works on the run in a folder: its lock is touched every few seconds."""
    if owner_of(folder) is None:
        return False
    pattern = lock_file(Path(glob.escape(folder.name)), '*').name
    for path in folder.parent.glob(pattern):
        with suppress(FileNotFoundError):  # its owner has just taken it away
            if time.time() - path.stat().st_mtime < SILENT:
                return True
    return False


def _last_line(text: str) -> str:
    """What a traceback comes to."""
    return (text.strip().splitlines() or [''])[-1]
