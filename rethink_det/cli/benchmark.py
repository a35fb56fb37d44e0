"""Measure what this package's own parts cost, each beside its plain counterpart."""

import argparse
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import torch
from mmengine.config import DictAction
from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import build_backbone
from rethink_det.benchmark import coco, detector, prune, train
from rethink_det.benchmark.timing import compare
from rethink_det.files import plain

_DEFAULTS = {
    'train': {'rounds': 5, 'network': train.NETWORKS},
    'prune': {'network': ('resnet50',), 'images': 512},
    'coco': {'rounds': 3, 'images': 1000},
    'detector': {'images': detector.IMAGES},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('what', choices=list(_BENCHMARKS))
    parser.add_argument(
        '--rounds', type=int, help='pairs of timings; default: 30, for train 5, for coco 3'
    )
    parser.add_argument(
        '--network',
        nargs='+',
        metavar='ARCH',
        help='name or file of an architecture; default: resnet50 for prune, '
        f'{" ".join(train.NETWORKS)} for train',
    )
    parser.add_argument(
        '--images',
        type=int,
        help='images of noise; default: 512, for train on a GPU 25,600, for coco 1,000, for '
        f'detector {detector.IMAGES}',
    )
    training = parser.add_argument_group('train')
    training.add_argument('--batch', type=int, default=128, help='images of a step')
    pruning = parser.add_argument_group('prune')
    pruning.add_argument('--pruner', help='run this method once instead, e.g. ThiNetPruner')
    pruning.add_argument(
        '--pruner-options',
        nargs='+',
        action=DictAction,
        default={'ratios': prune.RATIO},
        metavar='KEY=VALUE',
        help='its arguments, e.g. ratios=0.3',
    )


def run(options: argparse.Namespace) -> int:
    """Time pairs side by side; print medians and their ratio."""
    for name, value in {'rounds': 30, **_DEFAULTS.get(options.what, {})}.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    print(f'{torch.get_num_threads()} threads, torch {torch.__version__}')
    _BENCHMARKS[options.what](options)
    return 0


def _backbone(options: argparse.Namespace) -> None:
    """A training step of ``PrunedBackbone`` against the same-shaped plain backbone."""
    print('backbone: ResNet-18, batch 8 at 64x64, forward + backward + SGD step')
    architecture = PrunedArchitecture(
        backbone={'type': 'mmdet.ResNet', 'depth': 18},
        head={'type': 'rethink_det.LinearHead', 'num_classes': 10},
        input_shape=(3, 64, 64),
    )
    ours = _step(architecture.build(norm_eval=False))
    peer = _step(build_backbone({**plain(architecture.backbone), 'norm_eval': False}))
    compare({'ours': ours, 'peer': peer}, options.rounds)


def _step(model: nn.Module) -> Callable[[], None]:
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    images = torch.randn(8, 3, 64, 64)

    def step() -> None:
        optimizer.zero_grad()
        sum(feature.square().mean() for feature in model(images)).backward()
        optimizer.step()

    return step


def _import(options: argparse.Namespace) -> None:
    """``import rethink_det`` against importing what it stands on."""
    print('import: a fresh interpreter each time')
    ours, peer = (
        partial(subprocess.run, [sys.executable, '-c', f'import {module}'], check=True)
        for module in ('rethink_det', 'mmengine.registry')
    )
    compare({'ours': ours, 'peer': peer}, min(options.rounds, 5))


def _prune(options: argparse.Namespace) -> None:
    """``prune`` against Torch-Pruning's own pruner, or one method by itself."""
    for network in options.network:
        if options.pruner:
            method = {'type': options.pruner, **options.pruner_options}
            prune.by_itself(network, method, options.images)
        else:
            prune.against_torch_pruning(network, options.rounds)


def _train(options: argparse.Namespace) -> None:
    """Training on MMEngine's Runner against a plain PyTorch script, and against a bare loop."""
    train.against_plain_pytorch(options.network, options.images, options.batch, options.rounds)


def _coco(options: argparse.Namespace) -> None:
    """``rethink_det.CocoMetric`` against mmdet's, on boxes and on masks."""
    for kind in ('bbox', 'segm'):
        coco.against_mmdet(options.images, kind, options.rounds)


def _detector(options: argparse.Namespace) -> None:
    """A training step with our backbone and hooks against mmdet's own."""
    detector.against_mmdet(options.images, options.rounds)


_BENCHMARKS = {
    'backbone': _backbone,
    'import': _import,
    'prune': _prune,
    'train': _train,
    'coco': _coco,
    'detector': _detector,
}
