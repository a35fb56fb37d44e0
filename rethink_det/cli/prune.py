"""Prune a trained classifier: checkpoint in, self-describing pruned checkpoint out."""

import argparse

from mmengine.config import DictAction
from rich.console import Console
from rich.table import Table

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.architecture.checkpoint import (
    digest,
    load_checkpoint,
    load_exactly,
    save_checkpoint,
    state_dict_of,
)
from rethink_det.classification.arms import architecture_of
from rethink_det.pruning import build_pruner
from rethink_det.training.config import find_config, load_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('config', help='config that trained the classifier')
    parser.add_argument('checkpoint', help='its trained weights')
    parser.add_argument('--pruner', required=True, help='method, e.g. L1NormPruner')
    parser.add_argument(
        '--pruner-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='arguments of the method, e.g. ratios=0.3 or target=resnet56-a',
    )
    parser.add_argument('-o', '--out', required=True, metavar='OUT', help='pruned checkpoint')


def run(options: argparse.Namespace) -> int:
    """Prune, print what is left of each layer, write the checkpoint."""
    pruner = build_pruner({'type': options.pruner, **options.pruner_options})
    architecture = architecture_of(load_config(find_config(options.config)))
    state = state_dict_of(load_checkpoint(options.checkpoint), options.checkpoint)
    network = architecture.build_network()
    load_exactly(network, state)
    before = architecture.cost()
    pruned = pruner.prune(network, architecture)
    provenance = {
        'arm': 'pruned',
        'pruner': {'type': options.pruner, **options.pruner_options},
        'parent': str(options.checkpoint),
        'parent_digest': digest(state),
    }
    meta = {'architecture': pruned.architecture.to_dict(), 'provenance': provenance}
    save_checkpoint({'meta': meta, 'state_dict': pruned.state_dict}, options.out)
    _show(pruned.architecture, before, pruned.architecture.cost())
    print(f'wrote {options.out}')
    return 0


def _show(architecture: PrunedArchitecture, before: Cost, after: Cost) -> None:
    table = Table('layer', 'kept', 'of')
    for layer in architecture.channels:
        kept, width = architecture.kept(layer), architecture.widths[layer]
        table.add_row(layer, str(kept), str(width))
    console = Console()
    console.print(table)
    for name in ('params', 'macs'):
        old, new = getattr(before, name), getattr(after, name)
        console.print(f'{name}: {old:,} -> {new:,} ({new / old:.1%})')
