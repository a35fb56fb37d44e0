"""Measure what this package's own parts cost, each beside its plain counterpart."""

import argparse
from typing import Any

from rethink_det.cli.config_options import KeyValues, add_imports
from rethink_det.defaults import GPU_ROUNDS, TIMED_EXPORTS, TIMED_IMAGES, TIMED_ON_GPU, TIMED_RATIO
from rethink_det.layout import EXPORTED

BENCHMARKS: dict[str, dict[str, Any]] = {
    'backbone': {},
    'import': {},
    'prune': {'network': ('resnet50',), 'images': 512},
    'train': {'rounds': 5, 'network': ('resnet56', 'vgg16-cifar')},
    'coco': {'rounds': 3, 'images': 1000},
    'check': {'rounds': 3, 'images': 5000},
    'detector': {'images': 32},  # four steps of the recipe's batch
    'study': {'rounds': 3, 'images': 6400},  # a run that is long beside the start of a process
    'export': {'rounds': TIMED_EXPORTS},
    'gpu': {'rounds': GPU_ROUNDS, 'network': (TIMED_ON_GPU,)},
}
"""What can be measured, and of what if nothing is said."""
ROUNDS = 30
"""Of all others."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('what', choices=list(BENCHMARKS), help='the part that is measured')
    parser.add_argument(
        'place', nargs='?', help='of export: checkpoint, or work dir of its training'
    )
    parser.add_argument(
        '--rounds',
        type=int,
        help=f'pairs of timings, of study seeds; default: {ROUNDS}, {_defaults("rounds")}',
    )
    parser.add_argument(
        '--network',
        nargs='+',
        metavar='ARCH',
        help=f'name or file of an architecture; default: {_defaults("network")}',
    )
    parser.add_argument(
        '--images',
        type=int,
        help=f'images of noise; default: for train {TIMED_IMAGES["cpu"]}, on a GPU '
        f'{TIMED_IMAGES["cuda"]:,}, {_defaults("images")}',
    )
    training = parser.add_argument_group('train')
    training.add_argument('--batch', type=int, default=128, help='images of a step')
    parser.add_argument_group('gpu').add_argument(
        '--device',
        metavar='NAME',
        help='cpu: run the same where there is no GPU, at sizes that tell nothing of speed',
    )
    pruning = parser.add_argument_group('prune')
    pruning.add_argument('--pruner', help='run this method once instead, e.g. ThiNetPruner')
    pruning.add_argument(
        '--pruner-options',
        nargs='+',
        action=KeyValues,
        default={'ratios': TIMED_RATIO},
        metavar='KEY=VALUE',
        help='its arguments, e.g. ratios=0.3',
    )
    exporting = parser.add_argument_group('export')
    exporting.add_argument('--config', help='that trained it, if it does not lie beside it')
    exporting.add_argument(
        '--out',
        metavar='DIR',
        help=f'of the files; default: {EXPORTED} beside the checkpoint',
    )
    exporting.add_argument(
        '--input-shape', nargs=3, type=int, metavar=('C', 'H', 'W'), help='as of export'
    )
    add_imports(parser)


def _defaults(option: str) -> str:
    """What an option is, by what is measured."""
    said = {what: own[option] for what, own in BENCHMARKS.items() if option in own}
    return ', '.join(f'for {what} {_shown(value)}' for what, value in said.items())


def _shown(value: int | tuple[str, ...]) -> str:
    return ' '.join(value) if isinstance(value, tuple) else f'{value:,}'
