"""Prune a trained network: checkpoint in, self-describing pruned checkpoint out.

Of a detector it is the backbone that is pruned, and the neck follows; the checkpoint then holds
the whole detector, for ``train DETECTOR_CONFIG --backbone OUT --arm prune-d``.
"""

import argparse

from rethink_det.cli.config_options import KeyValues, add_config_options, add_ema, add_force
from rethink_det.layout import INITIAL


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('config', help='config that trained the classifier or detector')
    parser.add_argument('checkpoint', help='its trained weights')
    parser.add_argument('--pruner', required=True, help='method, e.g. L1NormPruner')
    parser.add_argument(
        '--pruner-options',
        nargs='+',
        action=KeyValues,
        default={},
        metavar='KEY=VALUE',
        help='arguments of the method, e.g. ratios=0.3 or target=resnet56-a, or instead of a ratio '
        'what the network may cost: macs=0.5 (a share) or params=2e6, latency=0.6 or latency_ms=8',
    )
    parser.add_argument(
        '--explain',
        action='store_true',
        help='say of every layer what share was to go, what went, and what stood in the way',
    )
    parser.add_argument('-o', '--out', required=True, metavar='OUT', help='pruned checkpoint')
    add_force(parser)
    add_ema(parser, 'the checkpoint')
    parser.add_argument(
        '--initial',
        metavar='CHECKPOINT',
        help=f'weights that the training started from, for the lottery arm; default: {INITIAL} '
        'beside the checkpoint, if there is one',
    )
    add_config_options(parser)
    parser.add_argument(
        '--device',
        metavar='NAME',
        help='what a method that looks at images computes on, and of what a latency is: cpu or '
        'cuda; default: the GPU, if there is one',
    )
    parser.add_argument(
        '--no-eval', action='store_true', help='do not measure accuracy (AP) before and after'
    )
