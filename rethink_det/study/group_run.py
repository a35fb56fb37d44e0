"""Runs that are handed out together, as one piece of work: each an ordinary run."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial

from rethink_det.report.run_lock import Taken
from rethink_det.report.run_result import RunResult
from rethink_det.study.nodes import Run
from rethink_det.study.run import Outcome, execute
from rethink_det.study.shared_runs import SharedRuns
from rethink_det.training.together import Ended, run_together


class Elsewhere(Exception):  # noqa: N818 - it is where an error comes from, and none itself
    """Where an error arose, in another thread or process, as Python tells it."""

    def __str__(self) -> str:
        return f'\n{self.args[0]}'


def execute_group(
    runs: Sequence[Run],
    parents: Mapping[str, RunResult],
    work_dir: str | os.PathLike,
    command: Sequence[str] = (),
    shared: SharedRuns | None = None,
) -> list[Ended[Outcome | Taken]]:
    """Do runs whose steps are computed together; what became of each.

    Args:
        runs: Of the study's graph: the members of a group.
        parents: Results of the runs they need, by key.
        work_dir: Folder of the study.
        command: The program and its arguments by which the study was started.
        shared: Where studies put what they have in common; None if nowhere.
    """
    works = [partial(execute, run, parents, work_dir, command, shared) for run in runs]
    return run_together(works)


class RunFuture(Future):
    """Of one run of a job.

    Attributes:
        job: The work that it is a part of.
    """

    def __init__(self, job: Future) -> None:
        super().__init__()
        self.job = job


def each_of(job: Future, number: int) -> list[RunFuture]:
    """Futures of the runs of a job, in their order; they are done when it is.

    Args:
        job: Of :func:`execute_group`, or of a single run.
        number: How many runs it has.
    """
    futures = [RunFuture(job) for _ in range(number)]
    job.add_done_callback(partial(_settle, futures))
    return futures


def job_of(future: Future) -> Future:
    """The work that a run is a part of."""
    return future.job if isinstance(future, RunFuture) else future


def _settle(futures: Sequence[Future], job: Future) -> None:
    """Pass on what a job came to, to each of its runs."""
    error = job.exception()
    if error is not None:
        for future in futures:
            future.set_exception(error)
        return
    each = job.result() if len(futures) > 1 else [Ended(job.result())]
    for future, ended in zip(futures, each, strict=True):
        if ended.error is None:
            future.set_result(ended.value)
        else:
            ended.error.__cause__ = Elsewhere(ended.trace)
            future.set_exception(ended.error)
