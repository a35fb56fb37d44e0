"""Measure what this package's own parts cost, each beside its plain counterpart."""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import build_backbone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('what', choices=list(_BENCHMARKS))
    parser.add_argument('--rounds', type=int, default=30, help='pairs of timings')


def run(options: argparse.Namespace) -> int:
    """Time pairs side by side; print medians and their ratio."""
    print(f'{torch.get_num_threads()} threads, torch {torch.__version__}')
    _BENCHMARKS[options.what](options.rounds)
    return 0


def paired(ours: Callable[[], None], peer: Callable[[], None], rounds: int) -> None:
    """Time two calls in turns, since a busy machine slows both; print the comparison."""
    times: dict[str, list[float]] = {'ours': [], 'peer': []}
    ours(), peer()
    for number in range(rounds):
        pair = [('ours', ours), ('peer', peer)]
        for name, call in pair if number % 2 else reversed(pair):
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    for name, values in times.items():
        print(f'  {name}: median {1000 * statistics.median(values):.2f} ms')
    ratios = [a / b for a, b in zip(times['ours'], times['peer'], strict=True)]
    print(f'  ours / peer: median {statistics.median(ratios):.4f} of {rounds} pairs')


def _backbone(rounds: int) -> None:
    """A training step of ``PrunedBackbone`` against the same-shaped plain backbone."""
    print('backbone: ResNet-18, batch 8 at 64x64, forward + backward + SGD step')
    architecture = PrunedArchitecture(
        backbone={'type': 'mmdet.ResNet', 'depth': 18},
        head={'type': 'rethink_det.LinearHead', 'num_classes': 10},
        input_shape=(3, 64, 64),
    )
    ours = _step(architecture.build(norm_eval=False))
    peer = _step(build_backbone({**architecture.backbone, 'norm_eval': False}))
    paired(ours, peer, rounds)


def _step(model: nn.Module) -> Callable[[], None]:
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    images = torch.randn(8, 3, 64, 64)

    def step() -> None:
        optimizer.zero_grad()
        sum(feature.square().mean() for feature in model(images)).backward()
        optimizer.step()

    return step


def _import(rounds: int) -> None:
    """``import rethink_det`` against importing what it stands on."""
    print('import: a fresh interpreter each time')
    paired(
        lambda: subprocess.run([sys.executable, '-c', 'import rethink_det'], check=True),
        lambda: subprocess.run([sys.executable, '-c', 'import mmengine.registry'], check=True),
        min(rounds, 5),
    )


_BENCHMARKS = {'backbone': _backbone, 'import': _import}
