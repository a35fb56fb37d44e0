"""Doing what a plan says: only what is missing, in order, here or in several processes."""

import os
import platform
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

import torch

from rethink_det.study.plan import Run, Study
from rethink_det.study.results import RunResult, StudyResults, write_results
from rethink_det.study.run import execute
from rethink_det.training.hooks.provenance import versions


@dataclass
class _State:
    """What is known of a study while it runs."""

    runs: list[Run]
    results: dict[str, dict] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    active: dict[Future, Run] = field(default_factory=dict)

    def ready(self) -> list[Run]:
        """Runs whose parents are done and that have not been started."""
        started = {*self.results, *self.failures, *(run.key for run in self.active.values())}
        return [
            run
            for run in self.runs
            if run.key not in started and all(p in self.results for p in run.parents)
        ]

    def skip_orphans(self) -> None:
        """Give up on runs whose parents failed."""
        for run in self.runs:
            lost = next((p for p in run.parents if p in self.failures), None)
            if lost and run.key not in self.failures:
                self.failures[run.key] = f'not started: {lost} failed'


def execute_study(
    study: Study,
    work_dir: str | os.PathLike,
    executor: Executor,
    workers: int = 1,
    say: Callable[[str], None] = print,
) -> StudyResults:
    """Run a study to its end and write ``results.json``.

    Args:
        study: What to do.
        work_dir: Folder of the study; finished runs found there are not repeated.
        executor: Where runs are executed; shut down at the end.
        workers: How many runs to hand out at a time.
        say: Takes a line of progress.

    Returns:
        The results, failed runs included; ``incomplete`` lists those.
    """
    state = _State(study.runs())
    started = time.perf_counter()
    with executor:
        while len(state.results) + len(state.failures) < len(state.runs):
            for run in state.ready()[: max(0, workers - len(state.active))]:
                parents = {key: state.results[key] for key in run.parents}
                say(f'         start  {run.key}')
                state.active[executor.submit(execute, run, parents, work_dir)] = run
            for future in wait(state.active, return_when=FIRST_COMPLETED).done:
                _collect(state, future, say, started)
            state.skip_orphans()
            write_results(work_dir, _results(study, state))
    return _results(study, state)


def _collect(state: _State, future: Future, say: Callable[[str], None], started: float) -> None:
    run = state.active.pop(future)
    error = future.exception()
    if error is None:
        result = state.results[run.key] = future.result()
        text = ', '.join(f'{k} {v:.4g}' for k, v in result['metrics'].items() if _headline(k))
    else:
        state.failures[run.key] = ''.join(traceback.format_exception(error)).strip()
        text = f'failed: {error}'
    done = len(state.results) + len(state.failures)
    elapsed = time.perf_counter() - started
    say(
        f'[{done:>3}/{len(state.runs)}] {"done " if error is None else "FAIL "} {run.key}  {text}  '
        f'({elapsed / 60:.1f} min so far, about {_remaining(state) / 60:.0f} min left)'
    )


def _headline(metric: str) -> bool:
    return metric in ('accuracy/top1', 'coco/bbox_mAP', 'coco/segm_mAP')


def _remaining(state: _State) -> float:
    """Seconds left: every open run takes as long as finished ones of its kind took."""
    finished = {run.key: run for run in state.runs if run.key in state.results}
    times = [(run, state.results[key]['wall_s']) for key, run in finished.items()]
    total = 0.0
    for run in state.runs:
        if run.key in state.results or run.key in state.failures:
            continue
        alike = [t for r, t in times if (r.stage, r.model) == (run.stage, run.model)]
        alike = alike or [t for r, t in times if r.stage == run.stage] or [t for _, t in times]
        total += sum(alike) / len(alike) if alike else 0.0
    return total


def _results(study: Study, state: _State) -> StudyResults:
    runs = []
    for run in state.runs:
        if run.stage == 'pruning' and run.key not in state.failures:
            continue
        runs.append(RunResult.from_dict(_entry(run, state)))
    return StudyResults(study.name, runs, study.title, study.description, _environment())


def _entry(run: Run, state: _State) -> Mapping:
    if run.key in state.results:
        hidden = ('identity', 'plan', 'architecture')
        return {k: v for k, v in state.results[run.key].items() if k not in hidden}
    status = 'failed' if run.key in state.failures else 'missing'
    stage = 'classification' if run.stage == 'pruning' else run.stage
    return {
        'stage': stage, 'arm': run.arm, 'seed': run.seed, 'model': run.model, 'status': status,
        'metrics': {}, 'error': state.failures.get(run.key),
    }  # fmt: skip


def _environment() -> dict:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU'
    return {
        'device': f'{device}, {os.cpu_count()} cores, {platform.machine()}',
        'python': platform.python_version(),
        **versions(),
    }


def dry_run(study: Study) -> str:
    """The plan as text: a line per run, with what it waits for."""
    lines = [f'{study.name}: {len(study.runs())} runs']
    for run in study.runs():
        waits = f'  after {", ".join(run.parents)}' if run.parents else ''
        lines.append(f'  {run.key}{waits}')
    return '\n'.join(lines)
