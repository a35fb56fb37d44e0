"""Prune a trained classifier: checkpoint in, self-describing pruned checkpoint out."""

import argparse
from argparse import Namespace
from collections.abc import Iterator
from contextlib import redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from mmengine.config import Config, DictAction
from rich.console import Console
from rich.table import Table

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.architecture.checkpoint import (
    digest,
    load_checkpoint,
    save_checkpoint,
    state_dict_of,
)
from rethink_det.classification.arms import architecture_of, other_hooks
from rethink_det.cli.train import add_config_options
from rethink_det.errors import UserError
from rethink_det.pruning import build_pruner, prune_state
from rethink_det.pruning.checkpoint import initial_weights, save_pruned
from rethink_det.training.config import find_config, load_config
from rethink_det.training.data import TrainingBatches
from rethink_det.training.input_convention import InputConvention
from rethink_det.training.launch import evaluate


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
    parser.add_argument(
        '--initial',
        metavar='CHECKPOINT',
        help='weights that the training started from, for the lottery arm; default: initial.pth '
        'beside the checkpoint, if there is one',
    )
    add_config_options(parser)
    parser.add_argument(
        '--no-eval', action='store_true', help='do not measure accuracy before and after'
    )


def run(options: argparse.Namespace) -> int:
    """Prune, write the checkpoint, print what is left of each layer and what it cost."""
    settings = {'type': options.pruner, **options.pruner_options}
    # First of all the config: its custom_imports may bring the method.
    config = load_config(find_config(options.config), options.cfg_options)
    pruner = build_pruner(settings)
    checkpoint = load_checkpoint(options.checkpoint)
    state = state_dict_of(checkpoint, options.checkpoint)
    initial = initial_weights(options.checkpoint, options.initial)
    architecture = _architecture(config, checkpoint)
    result = prune_state(state, pruner, architecture, TrainingBatches(config))
    provenance = {
        'pruner': settings,
        'parent': str(options.checkpoint),
        'parent_digest': digest(state),
    }
    save_pruned(result, options.out, provenance, initial, _convention(config, checkpoint, options))
    _show(architecture, result.architecture)
    if initial is not None:
        print('the initial weights, pruned alike, are in it for the lottery arm')
    if not options.no_eval:
        _show_accuracy(config, architecture, result.architecture, options)
    print(f'wrote {options.out}')
    return 0


def _architecture(config: Config, checkpoint: dict) -> PrunedArchitecture:
    """What the checkpoint is: by itself, if it is a pruned network, else by the config."""
    described = (checkpoint.get('meta') or {}).get('architecture')
    base = architecture_of(config)
    if described is None:
        return base
    found = PrunedArchitecture.from_dict(described)
    return found if found.base == base.base else base  # the weights will be refused by name


def _convention(config: Config, checkpoint: dict, options: Namespace) -> InputConvention | None:
    """How its images were normalised: by what the checkpoint says, else by the config."""
    said = InputConvention.of_checkpoint(checkpoint, options.checkpoint)
    return said or InputConvention.of_settings(config.model.get('data_preprocessor'))


def _show(before: PrunedArchitecture, after: PrunedArchitecture) -> None:
    console = Console()
    table = Table('layer', 'kept', 'of')
    for row in _rows(after):
        table.add_row(*row)
    console.print(table)
    old, new = before.cost(), after.cost()
    for name in ('params', 'macs'):
        console.print(f'{name}: {_change(old, new, name)}')


def _rows(architecture: PrunedArchitecture) -> Iterator[tuple[str, str, str]]:
    for layer in architecture.channels:
        yield layer, str(architecture.kept(layer)), str(architecture.widths[layer])
    for layer, kept in architecture.selections.items():
        yield f'{layer} (inputs)', str(len(kept)), str(architecture.inputs(layer))
    for block in architecture.removed_blocks:
        yield f'{block} (residual branch)', '0', '1'
    for name, (kept, size) in architecture.masked().items():
        yield f'{name} (weights)', f'{kept:,}', f'{size:,}'


def _change(old: Cost, new: Cost, name: str) -> str:
    before, after = getattr(old, name), getattr(new, name)
    return f'{before:,} -> {after:,} ({after / before:.1%})'


def _show_accuracy(
    config: Config, before: PrunedArchitecture, after: PrunedArchitecture, options: Namespace
) -> None:
    """Accuracy before and right after pruning, if the config can evaluate."""
    try:
        found = [
            _accuracy(config, architecture, checkpoint)
            for architecture, checkpoint in ((before, options.checkpoint), (after, options.out))
        ]
    except (UserError, FileNotFoundError) as error:
        print(f'accuracy: not measured ({error})')
        return
    for name in found[0]:
        print(f'{name}: {found[0][name]:.2f} -> {found[1][name]:.2f}')


def _accuracy(config: Config, architecture: PrunedArchitecture, checkpoint: str) -> dict:
    config = deepcopy(config)
    state = state_dict_of(load_checkpoint(checkpoint), checkpoint)
    config.log_level = 'ERROR'
    config.custom_hooks = other_hooks(config)
    config.model.backbone = {
        'type': 'rethink_det.PrunedBackbone',
        'architecture': architecture.to_dict(),
    }
    with TemporaryDirectory() as folder:
        config.work_dir = folder
        weights = Path(folder) / 'weights.pth'
        save_checkpoint({'state_dict': state}, weights)
        with redirect_stdout(StringIO()):  # where MMEngine says what it loads
            return evaluate(config, weights)
