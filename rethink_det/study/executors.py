"""Where runs are executed: in this process, in several, or on a Ray cluster.

Each is a ``concurrent.futures.Executor``, so the study does not care which. Processes packed on
GPUs are in :mod:`.gpus`.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from threading import Thread
from typing import Any

import torch

from rethink_det.errors import UserError
from rethink_det.study.interrupts import leave_to_the_study


class Here(Executor):
    """Does the work at once, in this process."""

    def submit(self, work: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Call ``work``; the future is finished when it is returned."""
        future: Future = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class OnRay(Executor):
    """Sends the work to a Ray cluster whose machines share this one's files.

    Args:
        address: Of the cluster: ``'auto'``, ``'local'`` for one of its own, or as Ray
            takes it.
        cpus: Processor cores that a run takes.
        runs_per_gpu: How many runs share a GPU; None if they take none.

    Attributes:
        slots: How many runs its GPUs have room for; 1 if runs take none.

    Raises:
        UserError: Ray is not installed, there is no cluster at the address, or it has no GPU
            and runs take one.
    """

    def __init__(self, address: str, cpus: float = 1, runs_per_gpu: int | None = None) -> None:
        try:
            import ray
        except ImportError:
            raise UserError("--ray needs Ray: pip install 'rethink-det[ray]'.") from None
        try:
            ray.init(address, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f'No Ray cluster at {address!r}: {error}') from None
        self._ray = ray
        self.slots = 1 if runs_per_gpu is None else self._gpus() * runs_per_gpu
        if not self.slots:
            ray.shutdown()
            raise UserError(
                f'--runs-per-gpu {runs_per_gpu} needs a GPU, and the Ray cluster at {address!r} '
                'has none; --workers N trains N runs side by side without one.'
            )
        gpus = 0 if runs_per_gpu is None else 1 / runs_per_gpu
        self._remote = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(in_folder)

    def _gpus(self) -> int:
        return int(self._ray.cluster_resources().get('GPU', 0))

    def submit(self, work: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Queue ``work``; Ray starts it when its cores are free."""
        return self._remote.remote(os.getcwd(), work, *args, **kwargs).future()

    def end(self, future: Future) -> None:
        """End the process that does some work, wherever it is."""
        self._ray.cancel(vars(future)['object_ref'], force=True)  # Ray's own attribute

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; a local one ends."""
        self._ray.shutdown()


class Slot:
    """Room for one run on this machine: a process of its own, replaced if it dies.

    Args:
        sharing: How many slots in all share the machine's cores.
    """

    def __init__(self, sharing: int) -> None:
        self._sharing = sharing
        self._pool = pool(1, sharing)
        self._work: list[Future] = []

    @property
    def load(self) -> int:
        """How much of what it has been given is not done yet."""
        self._work = [future for future in self._work if not future.done()]
        return len(self._work)

    def submit(self, work: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Start ``work``, or queue it."""
        try:
            future = self._pool.submit(work, *args, **kwargs)
        except BrokenExecutor:
            self._pool = pool(1, self._sharing)
            future = self._pool.submit(work, *args, **kwargs)
        self._work.append(future)
        return future

    def shutdown(self, wait: bool, cancel_futures: bool) -> None:
        """End the process, after what it has been given unless that is cancelled."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


class Processes(Executor):
    """Several processes that share the machine's cores.

    One that is killed, by the kernel for memory, say, fails the run in it and no other.

    Args:
        workers: How many.
    """

    def __init__(self, workers: int) -> None:
        self._slots = [Slot(sharing=workers) for _ in range(workers)]

    def submit(self, work: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Hand ``work`` to the process that has the least to do."""
        return min(self._slots, key=lambda slot: slot.load).submit(work, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, after what they have been given unless it is cancelled."""
        for slot in self._slots:
            slot.shutdown(wait, cancel_futures)


def processes(workers: int) -> Executor:
    """``workers`` processes that share the machine's cores; one means this process."""
    return Here() if workers == 1 else Processes(workers)


def worker_died(error: BaseException | None) -> bool:
    """Whether the process that did some work is gone, and not the work that failed."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    # Ray's and submitit's own errors, but for those that carry what the work raised.
    of_ray = 'RayError' in kinds and 'RayTaskError' not in kinds
    of_slurm = 'UncompletedJobError' in kinds and 'FailedJobError' not in kinds
    return isinstance(error, BrokenExecutor) or of_ray or of_slurm


def pool(workers: int, sharing: int) -> ProcessPoolExecutor:
    """``workers`` new processes, of ``sharing`` in all that share the machine's cores."""
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context('spawn'),
        initializer=_begin,
        initargs=(sharing,),
    )


def _begin(sharing: int) -> None:
    """What a process of a pool does first."""
    leave_to_the_study()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // sharing))
    Thread(target=_end_with_the_study, daemon=True).start()


def _end_with_the_study() -> None:
    """End this process at once when the one that started it is gone, killed perhaps.

    It would wait for work forever otherwise, and train beside a study that was started again.
    """
    study = multiprocessing.parent_process()
    if study is not None:
        study.join()
    os._exit(1)


def in_folder(folder: str, work: Callable, *args: Any, **kwargs: Any) -> Any:
    """``work`` done in a folder: paths in configs are relative to where the study was started."""
    os.chdir(folder)
    return work(*args, **kwargs)
