"""What ``rethink-det sweep`` does."""

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
"""Who asks, and how the answers are told."""


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
