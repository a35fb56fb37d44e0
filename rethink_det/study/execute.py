"""Doing what a plan says: only what is missing, in order, here or in several processes."""

import errno
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rethink_det.arms import STAGES
from rethink_det.defaults import RETRIES, STALL_MINUTES
from rethink_det.errors import UserError, refused_by_system
from rethink_det.files import sweep
from rethink_det.layout import CONSOLE
from rethink_det.report.environment import merged
from rethink_det.report.places import placed
from rethink_det.report.results import StudyResults
from rethink_det.report.run_graph import Asked, PlannedRun, RunGraph
from rethink_det.report.run_lock import Taken, owner_of
from rethink_det.report.run_result import COMPLETED, FAILED, MISSING, RunResult
from rethink_det.report.statistics import METRICS
from rethink_det.study.config import Study
from rethink_det.study.display import Display
from rethink_det.study.executors import Here, worker_died
from rethink_det.study.given_parents import check_given_parents
from rethink_det.study.graph import groups_of, runs_of
from rethink_det.study.group_run import each_of, execute_group
from rethink_det.study.interrupts import Interrupts
from rethink_det.study.late import Late, settled_late
from rethink_det.study.lineage import lineage
from rethink_det.study.nodes import Run
from rethink_det.study.run import execute
from rethink_det.study.seldom import Seldom
from rethink_det.study.shared_runs import SharedRuns
from rethink_det.study.together import LEADS_ON, Groups, beside_each_other, computed
from rethink_det.study.watchdog import Watchdog

_DIED = (
    'its process died without a word, {} times: killed, perhaps for want of memory (dmesg tells), '
    'or a crash in a library; the same command does this run again'
)
_STILL = 'it made no progress for {:g} minutes and was ended'
_STALLED = (
    f'{_STILL}, {{}} times: a deadlock, or a step that takes longer (--stall-minutes); its '
    f'{CONSOLE} ends where it stood still'
)
_POLL = 1.0
"""Seconds between two looks at runs that another study does."""


@dataclass
class _State:
    """What is known of a study while it runs."""

    runs: list[Run]
    root: Path
    groups: Callable[[Run], list[str]]
    late: Late = Late()
    results: dict[str, RunResult] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    active: dict[Future, Run] = field(default_factory=dict)
    retries: int = RETRIES
    deaths: Counter[str] = field(default_factory=Counter)
    asked: Asked | None = None
    stall_minutes: float = STALL_MINUTES
    shared: SharedRuns | None = None
    elsewhere: dict[str, tuple[Taken, float]] = field(default_factory=dict)
    jobs: list[Future] = field(default_factory=list)
    together: Groups = field(kw_only=True)

    @property
    def busy(self) -> int:
        """How much of what was handed out is not done: single runs, and groups."""
        self.jobs = [job for job in self.jobs if not job.done()]
        return len(self.jobs)

    def groups_ready(self) -> list[list[Run]]:
        """What may be handed out, runs that are computed together as one."""
        return self.together.of(self.ready(), self.results, self._may_grow())

    def _may_grow(self) -> bool:
        """Whether a run is under way after which more trainings may be ready: of a pruning, say.

        Those are short; a training is not waited for.
        """
        return any(isinstance(run, LEADS_ON) for run in self.active.values())

    @property
    def is_open(self) -> bool:
        """Whether a run is neither done nor given up."""
        return len(self.results) + len(self.failures) < len(self.runs)

    def graph(self, study: Study) -> RunGraph:
        """All runs, with the folders of those that are done."""
        runs = tuple(
            PlannedRun(
                run.key,
                run.stage,
                run.arm,
                run.model,
                tuple(dict.fromkeys(parent.key for parent in run.parents.values())),
                self.results[run.key].folder if run.key in self.results else None,
            )
            for run in self.runs
        )
        return RunGraph(study.name, runs, self.asked)

    def ready(self) -> list[Run]:
        """Runs whose parents are done and that nobody has started."""
        started = {*self.results, *self.failures, *(run.key for run in self.active.values())}
        return [
            run
            for run in self.runs
            if run.key not in started
            and all(parent.key in self.results for parent in run.parents.values())
            and not self._is_elsewhere(run)
        ]

    def _is_elsewhere(self, run: Run) -> bool:
        """Whether another study does a run that it was doing before."""
        if run.key not in self.elsewhere:
            return False
        taken, until = self.elsewhere[run.key]
        return time.monotonic() < until or owner_of(taken.folder) is not None

    def put_off(self, run: Run, taken: Taken) -> str:
        """Another study does a run; what is to be said of it, once."""
        known = run.key in self.elsewhere
        # Two that met may both have stepped back: they do not come again at the same time.
        self.elsewhere[run.key] = taken, time.monotonic() + _POLL * random.random()
        return '' if known else f'is done by another study, {taken.owner}; its result is awaited'

    def tried_again(self, run: Run, future: Future, stalled: bool) -> str:
        """Why a run is to be handed out once more: its process is gone; empty if it is not."""
        died = worker_died(future.exception())
        self.deaths[run.key] += died
        if not died or self.deaths[run.key] > self.retries:
            return ''
        return _STILL.format(self.stall_minutes) if stalled else 'its process died'

    def settle(self, run: Run, future: Future, stalled: bool) -> str:
        """Take in what a run came to; say it in a few words."""
        error, times = future.exception(), self.deaths[run.key]
        if worker_died(error):
            still = _STALLED.format(self.stall_minutes, times)
            self.failures[run.key] = still if stalled else _DIED.format(times)
            return f'FAILED: {self.failures[run.key]}'
        if error is not None:
            words = refused_by_system(error) if isinstance(error, OSError) else str(error)
            known = isinstance(error, UserError | OSError)
            trace = words if known else ''.join(traceback.format_exception(error))
            self.failures[run.key] = placed(trace.strip(), self.root, Path.cwd())
            return f'FAILED: {words}'
        outcome = future.result()
        result = self.results[run.key] = outcome.result
        told = [f'{name} {value:.4g}' for name, value in _headlines(result)]
        told += [one for one in (result.error, result.not_as_asked) if one]
        told += [outcome.shared] if outcome.shared else []
        told += [f'done again: {outcome.redone}'] if outcome.redone else []
        return ', '.join(told)

    def skip_orphans(self) -> None:
        """Give up on runs whose parents failed."""
        for run in self.runs:
            keys = [parent.key for parent in run.parents.values()]
            lost = next((key for key in keys if key in self.failures), None)
            if lost and run.key not in self.failures:
                self.failures[run.key] = f'not started: {lost} failed'


def execute_study(
    study: Study,
    work_dir: str | os.PathLike,
    executor: Executor | None = None,
    workers: int = 1,
    retries: int = RETRIES,
    stall_minutes: float = STALL_MINUTES,
    asked: Asked | None = None,
    shared: SharedRuns | None = None,
    together: int = 1,
) -> StudyResults:
    """Run a study to its end and write ``results.json``.

    Args:
        study: What to do.
        work_dir: Folder of the study; finished runs found there are not repeated, and those that
            another study does there now are awaited.
        executor: Where runs are executed; shut down at the end. Default: in this process.
        workers: How many runs to hand out at a time.
        retries: How often a run is handed out again whose process died.
        stall_minutes: A run in whose folder no file changes for so long is ended; 0: never.
        asked: How the study was asked for, which is kept in its folder.
        shared: Where studies put what they have in common; None if nowhere.
        together: How many trainings of one shape are computed together at most; with 1 each is
            computed alone. What is computed together comes out differently by rounding, so that
            the runs are others (see :mod:`.together`).

    Returns:
        The results, failed runs included; ``incomplete`` lists those.

    Raises:
        UserError: The given parent is missing, damaged or unsafe.
        OSError: The disk is full.
        KeyboardInterrupt: After Ctrl-C, when the runs that were under way are done.

    Example:
        >>> from rethink_det import Study, execute_study, write_report
        >>> results = execute_study(Study.load('study.py'), 'work')
        >>> sorted({run.arm for run in results.runs if run.status == 'completed'})
        ['fine-tune', 'scratch-e', 'unpruned']
        >>> write_report('work')['html'].name
        'report.html'
    """
    executor, study = executor or Here(), computed(study, together > 1)
    check_given_parents(study.classification)  # refused before anything is started
    root, late = Path(work_dir).resolve(), settled_late(study, work_dir)
    sweep(root)
    groups = Groups(root, together, beside_each_other(workers))
    state = _State(runs_of(study), root, groups_of(study), late, together=groups)
    state.retries, state.asked = retries, asked
    state.stall_minutes, state.shared = stall_minutes, shared
    write = Seldom(partial(_write, study, state))
    write(now=True)  # what it claims is known before its runs
    try:
        _execute(state, executor, workers, write)
    finally:
        write(now=True)
    return _results(study, state)


def _execute(state: _State, executor: Executor, workers: int, write: Seldom) -> None:
    """Do the runs; Ctrl-C leaves those undone that are not under way."""
    with (
        executor,
        Display(state.runs, state.root, workers) as display,
        Watchdog(state.root, state.stall_minutes, executor, state.active) as watchdog,
        Interrupts(display.finishing, partial(_tidy, executor, display)) as interrupts,
    ):
        while state.is_open:
            if not interrupts.asked:
                _hand_out(state, executor, workers, display, watchdog)
            elif not state.active:
                raise KeyboardInterrupt
            if _take_in(state, display, watchdog):
                state.skip_orphans()
                write()


def _hand_out(
    state: _State, executor: Executor, workers: int, display: Display, watchdog: Watchdog
) -> None:
    """Start as many runs as may go on side by side, of those whose parents are done."""
    for group in state.groups_ready()[: max(0, workers - state.busy)]:
        for run in group:
            display.start(run)
            watchdog.begin(run)
        job = _submit(executor, group, state)
        state.jobs.append(job)
        for run, future in zip(group, each_of(job, len(group)), strict=True):
            state.active[future] = run


def _take_in(state: _State, display: Display, watchdog: Watchdog) -> bool:
    """Wait for runs, and take in what they came to; whether one is over."""
    if not state.active:
        time.sleep(_POLL * random.random())  # all that is left is done elsewhere
    over = False
    waited = _POLL if state.elsewhere else None
    for future in wait(state.active, waited, return_when=FIRST_COMPLETED).done:
        run = state.active.pop(future)
        watchdog.end(run)
        stalled = run.key in watchdog.stopped
        _check_disk(future)
        if taken := _taken(future):
            display.later(run, state.put_off(run, taken))
        elif why := state.tried_again(run, future, stalled):
            display.again(run, why)
        else:
            over = True
            told = state.settle(run, future, stalled)
            state.elsewhere.pop(run.key, None)
            display.end(run, told, state.results.get(run.key))
    return over


def _check_disk(future: Future) -> None:
    """Stop if a disk is full: no other run would end better."""
    error = future.exception()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise error


def _taken(future: Future) -> Taken | None:
    """Who does a run that was handed back because somebody else does it."""
    outcome = None if future.exception() else future.result()
    return outcome if isinstance(outcome, Taken) else None


def _tidy(executor: Executor, display: Display) -> None:
    """What is done before the process ends in the midst of its work."""
    display.stop()
    executor.shutdown(wait=False, cancel_futures=True)


def _write(study: Study, state: _State) -> None:
    """Write what is known into the study's folder."""
    state.graph(study).write(state.root)
    _results(study, state).write(state.root)


def _submit(executor: Executor, group: Sequence[Run], state: _State) -> Future:
    """Hand out a run or a group; to workers of which one was killed, they fail instead."""
    needed = (parent for run in group for parent in run.parents.values())
    parents = {parent.key: state.results[parent.key] for parent in needed}
    try:
        known: dict[str, Any] = {'command': sys.argv, 'shared': state.shared}
        if len(group) == 1:
            return executor.submit(partial(execute, **known), group[0], parents, state.root)
        return executor.submit(partial(execute_group, **known), group, parents, state.root)
    except BrokenExecutor as error:
        future: Future = Future()
        future.set_exception(error)
        return future


def _headlines(result: RunResult) -> Iterator[tuple[str, float]]:
    shown = {name for metrics in METRICS.values() for name in metrics}
    for name, value in result.metrics.items():
        if name in shown and value is not None:
            yield name, value


def _results(study: Study, state: _State) -> StudyResults:
    runs: list[RunResult] = []
    for run in state.runs:
        shown = run.stage in STAGES and not run.round  # what serves others is shown if it fails
        if not shown and run.key not in state.failures:
            continue
        runs += _rows(study, state, run)
    environment = merged(run.environment for run in runs if run.status == COMPLETED)
    return StudyResults(
        study.name,
        runs,
        study.title,
        study.description,
        environment,
        primary=study.primary_comparison(),
        margin=study.margin,
        primary_late=state.late.primary,
        margin_late=state.late.margin,
    )


def _rows(study: Study, state: _State, run: Run) -> Iterator[RunResult]:
    """A run's row in every group that it stands in, with what makes the networks there small."""
    row = _row(run, state)
    for model in state.groups(run):
        variant = model.partition('/')[2]
        shared = row.pruner is not None and variant != run.variant
        own = study.classification.of(variant).pruning_settings if shared else {}
        pruner = own.get('pruner', own) or row.pruner
        yield replace(
            row, model=model, pruner=pruner and placed(dict(pruner), state.root, Path.cwd())
        )


def _row(run: Run, state: _State) -> RunResult:
    result = state.results.get(run.key)
    if result is None:
        error = state.failures.get(run.key)
        status = MISSING if error is None else FAILED
        result = RunResult(run.stage, run.arm, run.seed, status=status, key=run.key, error=error)
    return replace(result, **lineage(run, state.results))
