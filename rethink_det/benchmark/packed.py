"""Several trainings at once on one GPU, a process each, against one."""

import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier

from mmengine.runner import Runner

from rethink_det.benchmark.runner import (
    FAST,
    check_recorded,
    epoch_of,
    in_training,
    training_config,
    usual_precision,
)
from rethink_det.benchmark.workload import Workload
from rethink_det.training.device import current_device


def against_one(workload: Workload, runs: int, epochs: int) -> None:
    """Images a second of one run and of several at once, a process each.

    Args:
        workload: Of each run.
        runs: How many at once.
        epochs: That are timed, after one that is not.
    """
    print(f'{workload.network}, several runs at once on the {current_device().type}')
    rates = {}
    for count in (1, runs):
        rates[count] = rate_of(workload, count, epochs, (FAST, usual_precision()[1]))
        print(f'  {count}: {rates[count]:,.0f} images/s together')
    print(f'  {runs} / 1: {rates[runs] / rates[1]:.2f} in images/s')


READY = 120
"""Seconds that a run waits for the others: one that died is not waited for."""

Way = tuple[Mapping, Mapping]
"""Loop and optimizer wrapper."""


def rate_of(workload: Workload, runs: int, epochs: int, way: Way) -> float:
    """Images a second of runs at once, all together.

    Args:
        workload: Of each run.
        runs: How many at once.
        epochs: That are timed, after one that is not.
        way: Of training.
    """
    return runs * epochs * workload.images / _at_once(workload, runs, epochs, way)


def _at_once(workload: Workload, count: int, epochs: int, way: Way) -> float:
    """Seconds from the start of all to the end of the last."""
    context = multiprocessing.get_context('spawn')
    line = context.Barrier(count)
    with ProcessPoolExecutor(count, context, _wait_at, (line,)) as pool:
        spans = list(pool.map(_run, [workload] * count, [epochs] * count, [way] * count))
    return max(end for _, end in spans) - min(start for start, _ in spans)


_LINE: Barrier
"""Of a process: where it waits until all runs are ready."""


def _wait_at(line: Barrier) -> None:
    global _LINE
    _LINE = line


def _run(workload: Workload, epochs: int, way: Way) -> tuple[float, float]:
    """When this run started and ended, by the clock that all processes share."""

    def act(runner: Runner) -> tuple[float, float]:
        epoch = epoch_of(runner)
        epoch()
        _LINE.wait(READY)
        started = time.monotonic()
        for _ in range(epochs):
            epoch()
        check_recorded(runner)
        return started, time.monotonic()

    config = training_config(workload, *way)
    config.env_cfg.mp_cfg.mp_start_method = 'spawn'  # as this process was; MMEngine would warn
    return in_training(config, act)
