"""Ask the same of many: what a pruner leaves of each, which detectors take one."""

import argparse

SWEEPS = {
    'backbones': 'of a hundred of timm, torchvision and mmdet, pruned to half of all widths, by '
    'this package and by Torch-Pruning',
    'configs': 'of each folder of mmdet, as they are and with a pruned ResNet-50, a step and an '
    'evaluation on small pictures',
    'own-backbones': 'the same with the own backbone of each, pruned to half of all widths',
}
"""What is asked."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'what',
        choices=list(SWEEPS),
        help='; '.join(f'{what}: {asked}' for what, asked in SWEEPS.items()),
    )
    parser.add_argument('--work-dir', help='default: work_dirs/sweep_WHAT')
    parser.add_argument(
        '--only', nargs='+', default=(), metavar='WORD', help='those with such a word in the name'
    )
    parser.add_argument('--workers', type=int, default=1, help='networks at once')
    parser.add_argument('--timeout', type=float, default=900, help='seconds for each network')
    parser.add_argument('--again', action='store_true', help='those that failed, once more')
