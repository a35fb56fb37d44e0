"""The worker processes of data loaders: how they start, and that they end with their run."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.runner import Runner

from rethink_det.registry import FUNCTIONS


@FUNCTIONS.register_module()
def start_worker(worker_id: int, quiet: bool = False) -> None:
    """Let a worker draw what torch seeded it with, which follows from seed, epoch, rank and worker.

    MMEngine's own would seed it anew by seed plus worker: in every epoch alike.

    Args:
        worker_id: Number of the worker.
        quiet: Whether all workers but the first keep their warnings to themselves.
    """
    if quiet and worker_id:
        warnings.simplefilter('ignore')


@contextmanager
def ending_workers(runner: Runner) -> Iterator[None]:
    """Stop the persistent workers of a runner's loaders in the end, however the run ends.

    Left to Python, they idle until the garbage collector finds the runner. By then the queue
    that tells them to stop is closed (a queue's finalizer runs before the ``__del__`` of the
    loader's iterator), and torch waits five seconds for each worker before it kills it.
    """
    try:
        yield
    finally:
        for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
            loader: Any = getattr(loop, 'dataloader', None)
            batches = getattr(loader, '_iterator', None)  # None unless workers are persistent
            if batches is not None:
                batches._shutdown_workers()
                loader._iterator = None
