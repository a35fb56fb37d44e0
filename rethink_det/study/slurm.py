"""Where runs are executed: as jobs of a Slurm cluster whose machines share this one's files.

The study stays here, hands out the runs whose parents are done as one job array, and waits for
them. submitit submits them; what it passes to and fro is pickled, in a folder of this user alone.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from threading import Thread
from typing import Any

from rethink_det.errors import UserError
from rethink_det.layout import JOBS
from rethink_det.study.executors import in_folder
from rethink_det.study.interrupts import leave_to_the_study

CLUSTER = 'cluster'
"""Key that says where jobs go: ``slurm``, or ``local`` for processes of this machine."""
_SLURM, _LOCAL = CLUSTERS = ('slurm', 'local')
_LONGEST = {'timeout_min', 'time', 'slurm_time', 'slurm_timeout_min'}
"""Keys that say how long a job may take."""
_YEAR = 60 * 24 * 365
_PATIENCE = 0.5
"""Seconds between two looks at the jobs; what is handed out meanwhile becomes one array."""


@dataclass
class _Job:
    """A run that was handed out.

    Attributes:
        future: Of its result.
        work: What is called there.
        submitted: What submitit knows it by; None until then.
    """

    future: Future
    work: Callable
    submitted: Any = None


class OnSlurm(Executor):
    """Submits the work to Slurm, what is ready at the same time as one job array.

    Args:
        work_dir: Folder of the study, below which jobs and their output are kept.
        options: What a job is given, by submitit's names (``timeout_min``, ``gpus_per_node``,
            ``mem_gb``, ...) or Slurm's (``partition``, ``time``, ``account``, ...); and
            :data:`CLUSTER`.

    Raises:
        UserError: submitit is not installed, there is no Slurm here, an option is unknown or
            of the wrong kind, or nothing says how long a job may take.
    """

    def __init__(self, work_dir: Path, options: Mapping[str, Any]) -> None:
        try:
            import submitit
        except ImportError:
            raise UserError("--slurm needs submitit: pip install 'rethink-det[slurm]'.") from None
        cluster = _checked_cluster(options)
        named = _named(options, submitit)
        folder = work_dir.resolve() / JOBS
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(dir=folder))  # nobody else may put a pickle there
        self._executor = submitit.AutoExecutor(self._folder, cluster)
        try:
            self._executor.update_parameters(**named)
        except (AssertionError, NameError, TypeError, ValueError) as error:
            self._folder.rmdir()
            raise UserError(f'--slurm: {error}') from None
        self._jobs: list[_Job] = []
        self._failed = False
        self._open = True
        self._watcher = Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def submit(self, work: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Hand out ``work``; with what else is handed out now it becomes an array."""
        future: Future = Future()
        self._jobs.append(_Job(future, _Call(os.getcwd(), work, args, kwargs)))
        return future

    def end(self, future: Future) -> None:
        """Cancel the job that does some work."""
        for job in list(self._jobs):
            if job.future is future and job.submitted is not None:
                job.submitted.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End, after what was handed out unless that is cancelled."""
        if cancel_futures:
            for job in [job for job in self._jobs if job.submitted is not None]:
                with suppress(Exception):  # it may be over by now
                    job.submitted.cancel()
        self._open = False
        if wait and not cancel_futures:
            self._watcher.join()
            if not self._failed:  # nobody needs to read what the jobs printed
                shutil.rmtree(self._folder, ignore_errors=True)

    def _watch(self) -> None:
        while self._open or self._jobs:
            self._submit_new()
            for job in list(self._jobs):
                if job.submitted is not None and job.submitted.done():
                    self._settle(job)
            time.sleep(_PATIENCE)

    def _submit_new(self) -> None:
        """Submit what was handed out since the last time."""
        new = [job for job in self._jobs if job.submitted is None]
        if not new:
            return
        try:
            with self._executor.batch():
                submitted = [self._executor.submit(job.work) for job in new]
        except Exception as error:  # whatever the cluster has against it
            for job in new:
                self._jobs.remove(job)
                job.future.set_exception(UserError(f'Slurm took no job: {error}'))
            return
        for job, handle in zip(new, submitted, strict=True):
            job.submitted = handle

    def _settle(self, job: _Job) -> None:
        """Pass on what a job came to; one that left nothing is taken for dead by the study."""
        self._jobs.remove(job)
        try:
            result = job.submitted.result()
        except Exception as error:
            result = _Raised(error)
        if isinstance(result, _Raised):
            self._failed = True
            job.future.set_exception(result.error)
        else:
            job.future.set_result(result)


@dataclass(frozen=True)
class _Call:
    """What a job does: it gives what ``work`` gives, or the exception that it raised."""

    cwd: str
    work: Callable
    args: tuple
    kwargs: dict

    def __call__(self) -> Any:
        leave_to_the_study()
        try:
            return in_folder(self.cwd, self.work, *self.args, **self.kwargs)
        except Exception as error:
            return _Raised(error)


@dataclass(frozen=True)
class _Raised:
    """Carries an exception of its own kind, of which submitit would keep the text alone."""

    error: Exception


def _checked_cluster(options: Mapping[str, Any]) -> str:
    """Where the jobs go."""
    cluster = options.get(CLUSTER, _SLURM)
    if cluster not in CLUSTERS:
        raise UserError(f'--slurm {CLUSTER}={cluster}: must be one of {", ".join(CLUSTERS)}.')
    if cluster == _SLURM and shutil.which('sbatch') is None:
        raise UserError(
            '--slurm: there is no Slurm on this machine (sbatch is not found); '
            f'--slurm {CLUSTER}={_LOCAL} runs the jobs as processes of this machine.'
        )
    if cluster == _SLURM and not _LONGEST & options.keys():
        raise UserError('--slurm needs timeout_min=MINUTES (or time=...): the longest a run takes.')
    return cluster


def _named(options: Mapping[str, Any], submitit: Any) -> dict[str, Any]:
    """The options by the names that submitit has for them all."""
    common = submitit.AutoExecutor._valid_parameters()
    slurms = submitit.SlurmExecutor._valid_parameters() - common
    named: dict[str, Any] = {} if _LONGEST & options.keys() else {'timeout_min': _YEAR}
    for key, value in options.items():
        bare = key.removeprefix('slurm_')
        if bare in common:
            named[bare] = value
        elif bare in slurms:
            named[f'slurm_{bare}'] = value
        elif key != CLUSTER:
            near = get_close_matches(bare, [*common, *slurms, CLUSTER], 1)
            meant = f'did you mean {near[0]}?' if near else f'valid are {_all(common, slurms)}.'
            raise UserError(f'--slurm: unknown option {key!r}; {meant}')
    return named


def _all(*names: set[str]) -> str:
    return ', '.join([CLUSTER, *sorted(set().union(*names))])
