"""What a study costs beside its runs: planning it, each run's overhead; and what workers bring."""

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.bounds import check_count
from rethink_det.datasets.shapes import build_shapes
from rethink_det.report.results import StudyResults
from rethink_det.report.study_status import status_of
from rethink_det.study.config import Study
from rethink_det.study.dry_run import dry_run
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import processes
from rethink_det.study.graph import runs_of
from rethink_det.training.config import find_config

PLANNED, PLANNED_SEEDS = 'paper/cifar10_resnet56', 134
"""A study of 15 runs a seed, and seeds that make 2,010 of them."""
TRAINED = 'classification/resnet18-w16_shapes.py'
WORKERS = 2
EPOCHS = 8
"""Of a run that two workers do: long beside the start of a process."""
SHORT = 320
"""Images of the runs whose overhead is measured: they train for a moment."""


def planning(seeds: int = PLANNED_SEEDS) -> float:
    """Seconds that it takes to read a study, and to plan all its runs and what they can find.

    Args:
        seeds: Of the study, which make 15 runs each.
    """
    started = time.perf_counter()
    study = Study.load(PLANNED, {'study.seeds': list(range(seeds))})
    count = len(runs_of(study))
    dry_run(study)
    seconds = time.perf_counter() - started
    print(f'planning: {count:,} runs of {PLANNED} in {seconds:.2f} s')
    return seconds


def overhead(seeds: int) -> float:
    """Seconds that a run takes beside its own work, the first time and when it is found done.

    Args:
        seeds: Of the study, which make four runs each.

    Raises:
        UserError: There is no seed.
    """
    check_count('--rounds', seeds, 1)
    arms = [ARMS.baseline(CLASSIFICATION).name, ARMS.candidates(CLASSIFICATION)[0].name]
    with _study(SHORT, 1, list(range(seeds)), arms) as (study, work_dir):
        first, results = _timed(partial(execute_study, study, work_dir))
        again, _ = _timed(partial(execute_study, study, work_dir))
        count = len(runs_of(study))
        inside = sum(_wall(work_dir))
    print(f'overhead: {count} runs of {inside / count:.2f} s each')
    print(f'  a run that is done:       {(first - inside) / count:.2f} s beside its own work')
    print(f'  one that is found done:   {again / count:.2f} s')
    assert not results.incomplete
    return (first - inside) / count


def workers(images: int, epochs: int = EPOCHS, runs: int = 2 * WORKERS) -> float:
    """How many times as fast two workers do the same runs as one, a thread each.

    Args:
        images: Of an epoch.
        epochs: Of each run.
        runs: How many there are.
    """
    torch.set_num_threads(1)
    took = {}
    for number in (1, WORKERS):
        with _study(images, epochs, list(range(runs)), []) as (study, work_dir):
            work = partial(execute_study, study, work_dir, processes(number), number)
            took[number], results = _timed(work)
            assert not results.incomplete
        print(f'{number} at a time: {runs} runs in {took[number]:.1f} s')
    print(f'workers: {took[1] / took[WORKERS]:.2f} x as fast with {WORKERS}')
    return took[1] / took[WORKERS]


def _timed(work: Callable[[], StudyResults]) -> tuple[float, StudyResults]:
    started = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        results = work()
    return time.perf_counter() - started, results


def _wall(work_dir: Path) -> list[float]:
    """Seconds that the runs of a study took by their own clocks, those that prune as well."""
    return [run.seconds or 0.0 for run in status_of(work_dir).runs]


@contextlib.contextmanager
def _study(
    images: int, epochs: int, seeds: list[int], arms: list[str]
) -> Iterator[tuple[Study, Path]]:
    """A study of small classifiers on rendered shapes, and a folder for it."""
    with TemporaryDirectory() as folder:
        counts = (images, 64)
        root = build_shapes(Path(folder) / 'shapes', crops=counts, images=(8, 4))
        options: dict[str, Any] = {}
        for split in ('train', 'val', 'test'):
            data = f'{split}_dataloader.dataset'
            options |= {f'{data}.data_root': str(root), f'{data}.crops': list(counts)}
            options |= {f'{data}.images': [8, 4], f'{split}_dataloader.num_workers': 0}
        plan = {
            'config': str(Path(find_config(TRAINED)).resolve()),
            'pruner': {'type': 'L1NormPruner', 'ratios': 0.5},
            'arms': arms or [ARMS.reference(CLASSIFICATION).name],
            'epochs': epochs,
            'options': options,
            'arm_settings': {'fine_tune_epochs': epochs},
        }
        said = {'name': 'benchmark', 'seeds': seeds, 'classification': plan}
        yield Study.from_parts(said, Path(folder) / 'benchmark.py'), Path(folder) / 'work'
