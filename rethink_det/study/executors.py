"""Where runs are executed: in this process, in several, or on a Ray cluster.

Each is a ``concurrent.futures.Executor``, so the study does not care which. Processes packed on
GPUs are in :mod:`.gpus`.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from threading import Thread
from typing import Any

import torch

from rethink_det.errors import UserError


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
        self._remote = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(_in_folder)

    def _gpus(self) -> int:
        return int(self._ray.cluster_resources().get('GPU', 0))

    def submit(self, work: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Queue ``work``; Ray starts it when its cores are free."""
        return self._remote.remote(os.getcwd(), work, *args, **kwargs).future()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; a local one ends."""
        self._ray.shutdown()


def processes(workers: int) -> Executor:
    """``workers`` processes that share the machine's cores; one means this process."""
    return Here() if workers == 1 else pool(workers, sharing=workers)


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


def _in_folder(folder: str, work: Callable, *args: Any, **kwargs: Any) -> Any:
    # Paths in configs are relative to where the study was started.
    os.chdir(folder)
    return work(*args, **kwargs)
