"""Several small runs on each GPU of this machine."""

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

import torch

from rethink_det.errors import UserError
from rethink_det.study.executors import Slot

VISIBLE = 'CUDA_VISIBLE_DEVICES'


class OnGpus(Executor):
    """Processes on this machine's GPUs, at most ``runs_per_gpu`` on each.

    Each process sees one GPU and keeps it. What its CPU reads of CIFAR or of a folder of images
    is mapped from one decoded file, so that it is in main memory once, however many processes
    read it (see :mod:`rethink_det.datasets.decoded`). Memory of the GPU is not shared: there
    each run has its own model, and with ``FastEpochLoop`` its own copy of the training set
    (CIFAR: 150 MB). A process that is killed fails its run alone; the next run there gets
    another process.

    Args:
        gpus: Names of the GPUs as in ``CUDA_VISIBLE_DEVICES``, see :func:`visible_gpus`.
        runs_per_gpu: How many runs share a GPU.

    Raises:
        UserError: There is no GPU.
    """

    def __init__(self, gpus: Sequence[str], runs_per_gpu: int) -> None:
        if not gpus:
            raise UserError(
                f'--runs-per-gpu {runs_per_gpu} needs a GPU, and torch sees none here; --workers N '
                'trains N runs side by side without one.'
            )
        self.slots = len(gpus) * runs_per_gpu
        self._gpus = [gpu for _ in range(runs_per_gpu) for gpu in gpus]
        self._slots = [Slot(sharing=self.slots) for _ in self._gpus]

    def submit(self, work: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Start ``work`` on the GPU with the fewest runs; it waits if all slots are taken."""
        place = next_slot(self._gpus, [slot.load for slot in self._slots])
        # Set while the process starts: importing MMEngine makes CUDA look for its devices, and
        # from then on the variable is not read again.
        with _visible(self._gpus[place]):
            return self._slots[place].submit(_tidily, work, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, after what they have been given unless it is cancelled."""
        for slot in self._slots:
            slot.shutdown(wait, cancel_futures)


def next_slot(gpus: Sequence[str], loads: Sequence[int]) -> int:
    """The slot for the next run: a free one, on the GPU that has the least to do.

    Args:
        gpus: The GPU of each slot.
        loads: How many runs each slot has, under way or waiting.

    Returns:
        Its index; of equal ones the first. With no free slot the one with the fewest runs.
    """
    total: Counter[str] = Counter()
    for gpu, load in zip(gpus, loads, strict=True):
        total[gpu] += load
    return min(range(len(gpus)), key=lambda i: (loads[i], total[gpus[i]]))


def visible_gpus() -> list[str]:
    """The GPUs that torch sees, as ``CUDA_VISIBLE_DEVICES`` names them."""
    number = torch.cuda.device_count()
    given = os.environ.get(VISIBLE)
    names = given.split(',') if given else map(str, range(number))
    return [name.strip() for name in names][:number]


@contextmanager
def _visible(gpu: str) -> Iterator[None]:
    before = os.environ.get(VISIBLE)
    os.environ[VISIBLE] = gpu
    try:
        yield
    finally:
        if before is None:
            del os.environ[VISIBLE]
        else:
            os.environ[VISIBLE] = before


def _tidily(work: Callable, /, *args: Any, **kwargs: Any) -> Any:
    """``work``, after which its memory on the GPU is free for the neighbours."""
    try:
        return work(*args, **kwargs)
    finally:
        gc.collect()
        torch.cuda.empty_cache()
