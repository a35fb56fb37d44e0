"""Ask the same of many: what a pruner leaves of each, which detectors take one."""

import argparse
from pathlib import Path

from rethink_det.benchmark import (
    backbone_sweep,
    backbone_table,
    config_sweep,
    config_table,
    own_sweep,
)
from rethink_det.benchmark.sweep import Sweep, chosen
from rethink_det.files import save_text
from rethink_det.layout import SWEEP_TABLE, WORK_DIRS

_SWEEPS = {
    'backbones': (backbone_sweep, backbone_table.table),
    'configs': (config_sweep, config_table.table),
    'own-backbones': (own_sweep, config_table.table),
}
"""What is asked, and how the answers are told."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'what',
        choices=list(_SWEEPS),
        help='backbones: of a hundred of timm, torchvision and mmdet, pruned to half of all '
        'widths, by this package and by Torch-Pruning; configs: of each folder of mmdet, as they '
        'are and with a pruned ResNet-50, a step and an evaluation on small pictures; '
        'own-backbones: the same with the own backbone of each, pruned to half of all widths',
    )
    parser.add_argument('--work-dir', help='default: work_dirs/sweep_WHAT')
    parser.add_argument(
        '--only', nargs='+', default=(), metavar='WORD', help='those with such a word in the name'
    )
    parser.add_argument('--workers', type=int, default=1, help='networks at once')
    parser.add_argument('--timeout', type=float, default=900, help='seconds for each network')
    parser.add_argument('--again', action='store_true', help='those that failed, once more')


def run(options: argparse.Namespace) -> int:
    """Do what is missing, then write the table of all."""
    folder = Path(options.work_dir or Path(WORK_DIRS) / f'sweep_{options.what}')
    module, table = _SWEEPS[options.what]
    entries = chosen(module.entries(), options.only)
    sweep = Sweep(module.__name__, entries, folder, options.timeout)
    text = table(sweep.run(options.workers, options.again))
    save_text(text, folder / SWEEP_TABLE)
    print(text.splitlines()[0])
    print(f'wrote {folder / SWEEP_TABLE}')
    return 0
