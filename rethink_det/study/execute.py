"""Doing what a plan says: only what is missing, in order, here or in several processes."""

import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rethink_det.arms import STAGES
from rethink_det.errors import UserError
from rethink_det.report.environment import merged
from rethink_det.report.places import placed
from rethink_det.report.results import StudyResults
from rethink_det.report.run_graph import Asked, PlannedRun, RunGraph
from rethink_det.report.run_result import COMPLETED, FAILED, MISSING, RunResult
from rethink_det.report.statistics import METRICS
from rethink_det.study.config import Study
from rethink_det.study.display import Display
from rethink_det.study.executors import Here, worker_died
from rethink_det.study.given_parents import check_given_parents
from rethink_det.study.graph import groups_of, runs_of
from rethink_det.study.interrupts import Interrupts
from rethink_det.study.late import Late, settled_late
from rethink_det.study.lineage import lineage
from rethink_det.study.nodes import Run
from rethink_det.study.run import execute
from rethink_det.study.seldom import Seldom

RETRIES = 1
"""How often a run is handed out again whose process died, if nothing is said."""
_DIED = (
    'its process died without a word, {} times: killed, perhaps for want of memory (dmesg tells), '
    'or a crash in a library; the same command does this run again'
)


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
        """Runs whose parents are done and that have not been started."""
        started = {*self.results, *self.failures, *(run.key for run in self.active.values())}
        return [
            run
            for run in self.runs
            if run.key not in started
            and all(parent.key in self.results for parent in run.parents.values())
        ]

    def tried_again(self, run: Run, future: Future) -> bool:
        """Whether the process of a run died, and the run is to be handed out once more."""
        died = worker_died(future.exception())
        self.deaths[run.key] += died
        return died and self.deaths[run.key] <= self.retries

    def settle(self, run: Run, future: Future) -> str:
        """Take in what a run came to; say it in a few words."""
        error = future.exception()
        if worker_died(error):
            self.failures[run.key] = _DIED.format(self.deaths[run.key])
            return f'FAILED: {self.failures[run.key]}'
        if error is not None:
            mistake = isinstance(error, UserError)
            trace = str(error) if mistake else ''.join(traceback.format_exception(error))
            self.failures[run.key] = placed(trace.strip(), self.root, Path.cwd())
            return f'FAILED: {error}'
        outcome = future.result()
        result = self.results[run.key] = outcome.result
        told = [f'{name} {value:.4g}' for name, value in _headlines(result)]
        told += [result.error] if result.error else []
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
    asked: Asked | None = None,
) -> StudyResults:
    """Run a study to its end and write ``results.json``.

    Args:
        study: What to do.
        work_dir: Folder of the study; finished runs found there are not repeated.
        executor: Where runs are executed; shut down at the end. Default: in this process.
        workers: How many runs to hand out at a time.
        retries: How often a run is handed out again whose process died.
        asked: How the study was asked for, which is kept in its folder.

    Returns:
        The results, failed runs included; ``incomplete`` lists those.

    Raises:
        UserError: The given parent is missing, damaged or unsafe.
        KeyboardInterrupt: After Ctrl-C, when the runs that were under way are done.

    Example:
        >>> from rethink_det import Study, execute_study, write_report
        >>> results = execute_study(Study.load('study.py'), 'work')
        >>> sorted({run.arm for run in results.runs if run.status == 'completed'})
        ['fine-tune', 'scratch-e', 'unpruned']
        >>> write_report('work')['html'].name
        'report.html'
    """
    executor = executor or Here()
    check_given_parents(study.classification)  # refused before anything is started
    root, late = Path(work_dir).resolve(), settled_late(study, work_dir)
    state = _State(runs_of(study), root, groups_of(study), late=late, retries=retries, asked=asked)
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
        Interrupts(display.finishing, partial(_tidy, executor, display)) as interrupts,
    ):
        while state.is_open:
            if not interrupts.asked:
                _hand_out(state, executor, workers, display)
            elif not state.active:
                raise KeyboardInterrupt
            for future in wait(state.active, return_when=FIRST_COMPLETED).done:
                run = state.active.pop(future)
                if state.tried_again(run, future):
                    display.again(run)
                else:
                    told = state.settle(run, future)
                    display.end(run, told, state.results.get(run.key))
            state.skip_orphans()
            write()


def _hand_out(state: _State, executor: Executor, workers: int, display: Display) -> None:
    """Start as many runs as may go on side by side, of those whose parents are done."""
    for run in state.ready()[: max(0, workers - len(state.active))]:
        parents = {p.key: state.results[p.key] for p in run.parents.values()}
        display.start(run)
        state.active[_submit(executor, run, parents, state.root)] = run


def _tidy(executor: Executor, display: Display) -> None:
    """What is done before the process ends in the midst of its work."""
    display.stop()
    executor.shutdown(wait=False, cancel_futures=True)


def _write(study: Study, state: _State) -> None:
    """Write what is known into the study's folder."""
    state.graph(study).write(state.root)
    _results(study, state).write(state.root)


def _submit(executor: Executor, run: Run, parents: Mapping, work_dir: str | os.PathLike) -> Future:
    """Hand out a run; to workers of which one was killed, it fails instead."""
    try:
        return executor.submit(partial(execute, command=sys.argv), run, parents, work_dir)
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
