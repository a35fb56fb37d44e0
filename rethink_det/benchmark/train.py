"""What training a classifier costs: beside a plain PyTorch script, and beside a bare loop."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from rethink_det.benchmark.packed import against_one
from rethink_det.benchmark.plain_pytorch import elsewhere, plain_loader, plain_training
from rethink_det.benchmark.runner import (
    EAGER,
    PLAIN,
    NoiseImages,
    bare_epoch_of,
    epoch_of,
    in_training,
    training_config,
    usual_precision,
    ways,
)
from rethink_det.benchmark.timing import compare, measure, one_thread, paired, report
from rethink_det.benchmark.workload import (
    FLIP,
    MEAN,
    PAD,
    STD,
    Workload,
)
from rethink_det.classification import ImagePreprocessor
from rethink_det.datasets.tensor import batch_collate
from rethink_det.defaults import TIMED_IMAGES
from rethink_det.training.device import current_device, wait_for
from rethink_det.training.resident import ResidentBatches

ENOUGH = 4096
"""Images for timing the input pipeline, whose rate is that of thousands in a blink."""
TOGETHER = 8
"""Runs side by side on a GPU."""


def against_plain_pytorch(
    networks: Sequence[str], images: int | None, batch: int, rounds: int
) -> None:
    """All that is measured of training: input pipeline, throughput, overhead, many runs at once.

    Args:
        networks: Names or files of architectures.
        images: Of an epoch, which is what is timed; default:
            :data:`rethink_det.defaults.TIMED_IMAGES`.
        batch: Of a step.
        rounds: Pairs of epochs.

    Raises:
        UserError: No such architecture, fewer images than a batch, or no rounds.
    """
    device = current_device()
    images = TIMED_IMAGES[device.type] if images is None else images
    workloads = [Workload(name, images, batch) for name in networks]
    print(f'train: on the {device.type}, batch {batch}, epochs of {images} images of noise')
    input_pipeline(Workload(networks[0], max(images, ENOUGH), batch), rounds)
    for workload in workloads:
        throughput(workload, rounds)
        overhead(workload, rounds)
    if device.type == 'cuda':
        against_one(workloads[0], TOGETHER, rounds)
    else:
        print(f'{TOGETHER} runs on one GPU: left out, there is no GPU here')


def input_pipeline(workload: Workload, rounds: int) -> None:
    """Batches for the network: ours against the peer's."""
    with one_thread():
        ours = _our_pipeline(workload, torch.device('cpu'))
        alone, helped = (_peers_pipeline(workload, workers) for workers in (0, 1))
        print(f'input pipeline on one core, its processor time: {workload.images} images')
        compare({'ours': ours, 'peer': alone}, rounds, workload.images, time.process_time)
        print('input pipeline on one thread, by the clock on the wall')
        compare({'ours': ours, 'peer with a worker': helped}, rounds, workload.images)
    if current_device().type == 'cuda':
        print('input pipeline on the GPU')
        ours = _our_pipeline(workload, current_device())
        compare({'ours': ours, 'peer with a worker': helped}, rounds, workload.images)


def _peers_pipeline(workload: Workload, workers: int) -> Callable[[], None]:
    loader = plain_loader(workload, workers)

    def epoch() -> None:
        for _ in loader:
            pass

    return epoch


def _our_pipeline(workload: Workload, device: torch.device) -> Callable[[], None]:
    mean, std = ([255 * value for value in values] for values in (MEAN, STD))
    preprocess = ImagePreprocessor(mean, std, PAD, FLIP).to(device)
    loader = DataLoader(
        NoiseImages(**vars(workload)), workload.batch, shuffle=True, collate_fn=batch_collate
    )
    batches = ResidentBatches(loader)
    batches.to(device)

    def epoch() -> None:
        for batch in batches:
            preprocess(batch, training=True)
        wait_for(device)

    return epoch


def throughput(workload: Workload, rounds: int) -> None:
    """Training by our Runner against the peer's script, in the ways that the device has."""
    for way, settings in ways().items():
        print(f'training {workload.network}: ours in {way}, the peer in float32')
        config = training_config(workload, *settings)
        with elsewhere(plain_training, workload, torch.get_num_threads()) as peer:
            times = in_training(
                config, lambda runner: measure({'ours': epoch_of(runner), 'peer': peer}, rounds)
            )
        report(times, workload.images)


def overhead(workload: Workload, rounds: int) -> None:
    """What MMEngine adds to a step, with our loop and with its own."""
    print(f'a step of {workload.network} with MMEngine and without')
    _, precision = usual_precision()
    for name, loop in (('FastEpochLoop', EAGER), ('EpochBasedTrainLoop', PLAIN)):
        config = training_config(workload, loop, precision)
        times = in_training(config, lambda runner: _both(runner, rounds))
        ours, bare = (1000 * statistics.median(t) / workload.steps for t in times.values())
        more = 100 * (paired(*times.values()) - 1)
        print(
            f'  {name}: median {ours:.2f} ms, bare loop {bare:.2f} ms, '
            f'overhead {more:+.2f} %, median of {rounds} pairs'
        )


def _both(runner: Runner, rounds: int) -> dict[str, list[float]]:
    return measure({'ours': epoch_of(runner), 'bare': bare_epoch_of(runner)}, rounds)
