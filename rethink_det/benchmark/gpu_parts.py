"""The lines of ``benchmark gpu``, each part by a function."""

import statistics
import tempfile
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.runner import Runner

from rethink_det.architecture import PrunedArchitecture
from rethink_det.benchmark.detector import configs, in_both_trainings, timed
from rethink_det.benchmark.packed import rate_of
from rethink_det.benchmark.plain_pytorch import elsewhere, plain_training
from rethink_det.benchmark.prune import noise
from rethink_det.benchmark.runner import (
    EAGER,
    FAST,
    check_recorded,
    epoch_of,
    in_training,
    training_config,
    usual_precision,
)
from rethink_det.benchmark.timing import Times, measure, paired
from rethink_det.benchmark.workload import Workload
from rethink_det.errors import UserError, in_one_line
from rethink_det.pruning import prune
from rethink_det.training.device import current_device, wait_for
from rethink_det.training.launch import prepare
from rethink_det.training.recorded_steps import UNCAPTURED
from rethink_det.training.together.group import run_together

PLAIN = 'the plain script'
Rates = MutableMapping[str, float]
"""Images a second by what trained."""


class Row(NamedTuple):
    """A line of the table."""

    what: str
    speed: str
    beside: str = ''
    ratio: str = ''


def one_run(workload: Workload, rounds: int, rates: Rates) -> list[Row]:
    """One training: the plain script, ours step by step, ours in a graph; in turns.

    Args:
        workload: What is trained.
        rounds: Of epochs.
        rates: Is told the plain script's.
    """
    name, precision = usual_precision()
    graph = True if current_device().type == 'cuda' else UNCAPTURED
    eager, whole = (
        training_config(workload, {**EAGER, 'graph': g}, precision) for g in (False, graph)
    )
    ways = ('plain', 'eager', 'graph')

    def both(runner: Runner, other: Runner) -> Times:
        calls = (peer, epoch_of(runner), epoch_of(other))
        times = measure(dict(zip(ways, calls, strict=True)), rounds)
        check_recorded(other)
        return times

    with elsewhere(plain_training, workload, torch.get_num_threads()) as peer:
        times = in_training(eager, lambda a: in_training(whole, lambda b: both(a, b)))
    speed = {way: workload.images / statistics.median(times[way]) for way in ways}
    rates[PLAIN] = speed['plain']
    faster = {way: paired(times['plain'], times[way]) for way in ways}
    more = paired(times['eager'], times['graph'])
    return [
        Row(f'{PLAIN}, float32', _rate(speed['plain'])),
        Row(f'ours, {name}, eager', _rate(speed['eager']), PLAIN, f'{faster["eager"]:.2f}'),
        Row(f'ours, {name}, graph', _rate(speed['graph']), PLAIN, f'{faster["graph"]:.2f}'),
        Row(f'ours, {name}, graph', _rate(speed['graph']), 'ours, eager', f'{more:.2f}'),
    ]


def packed(workload: Workload, runs: int, rounds: int, rates: Rates) -> list[Row]:
    """Several trainings at once, a process each, as ``study --runs-per-gpu`` does them."""
    rate = rate_of(workload, runs, rounds, (FAST, usual_precision()[1]))
    return [Row(f'{runs} runs packed, a process each', _rate(rate), *_beside_plain(rate, rates))]


def together(workload: Workload, runs: int, rounds: int, rates: Rates) -> list[Row]:
    """Several trainings in this process, whose steps are computed as one.

    Args:
        workload: Of each.
        runs: How many.
        rounds: Epochs that are timed, after one that is not.
        rates: Of :func:`one_run`.

    Raises:
        UserError: One of them failed.
    """
    config = training_config(workload, {**EAGER, 'together': True}, usual_precision()[1])

    def act(runner: Runner) -> tuple[float, float]:
        epoch = epoch_of(runner)
        epoch()
        started = time.monotonic()
        for _ in range(rounds):
            epoch()
        return started, time.monotonic()

    ended = run_together([lambda: in_training(prepare(config), act) for _ in range(runs)])
    for one in ended:
        if one.error is not None:
            raise UserError(f'a run together with others: {in_one_line(one.error)}')
    spans = [one.value for one in ended if one.value is not None]
    seconds = max(end for _, end in spans) - min(start for start, _ in spans)
    rate = runs * rounds * workload.images / seconds
    return [Row(f'{runs} runs together, one network', _rate(rate), *_beside_plain(rate, rates))]


def detector_step(pictures: int, rounds: int, real: bool) -> list[Row]:
    """A detector's step with our backbone and hooks, and mmdet's own.

    Args:
        pictures: Of an epoch.
        rounds: Pairs of epochs.
        real: ResNet-50 and pictures of 800x800, two a step, instead of the small recipe.
    """
    with tempfile.TemporaryDirectory() as folder:
        ours, peer = configs(Path(folder), pictures, real)
        batch = ours.train_dataloader.batch_size
        times = in_both_trainings(ours, peer, lambda a, b: timed(a, b, rounds))
    steps = -(-pictures // batch)
    own, plain = (1000 * statistics.median(values) / steps for values in times.values())
    ratios = sorted(100 * (a / b - 1) for a, b in zip(*times.values(), strict=True))
    span = f'{ratios[0]:+.1f} to {ratios[-1]:+.1f} %'
    name = 'R50, 800x800, batch 2' if real else f'R18 of width 16, 128x128, batch {batch}'
    return [Row(f'a step of Faster R-CNN {name}', f'{own:.1f} ms', f'mmdet, {plain:.1f} ms', span)]


METHODS = {
    'ThiNet': {'type': 'ThiNetPruner'},
    'Taylor': {'type': 'ImportancePruner', 'importance': 'taylor'},
}


def pruning(network: str, images: int) -> list[Row]:
    """Methods that look at images, on what they take by default."""
    architecture = PrunedArchitecture.load(network)
    model, data = architecture.build_network(), noise(images, architecture)
    rows = []
    for name, method in METHODS.items():
        started = time.perf_counter()
        prune(model, {**method, 'images': images, 'ratios': 0.5}, architecture, data)
        wait_for(current_device())
        seconds = time.perf_counter() - started
        rows.append(Row(f'{name}, {network}, {images} images', f'{seconds:.1f} s'))
    return rows


def evaluation(workload: Workload, rounds: int) -> list[Row]:
    """Accuracy of a classifier on as many images as an epoch has."""
    config = training_config(workload, FAST, usual_precision()[1], evaluated=True)
    times = in_training(config, lambda runner: measure({'evaluation': runner.val_loop.run}, rounds))
    rate = workload.images / statistics.median(times['evaluation'])
    return [Row('evaluation of a classifier', _rate(rate))]


def _beside_plain(rate: float, rates: Rates) -> tuple[str, str]:
    return (PLAIN, f'{rate / rates[PLAIN]:.2f}') if PLAIN in rates else ('', '')


def _rate(rate: float) -> str:
    return f'{rate:,.0f} images/s'
