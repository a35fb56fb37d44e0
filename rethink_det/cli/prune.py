"""What ``rethink-det prune`` does."""

import argparse
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.cli.output import check_output
from rethink_det.errors import UserError
from rethink_det.pruning import build_pruner
from rethink_det.pruning.explaining import Explained, explained
from rethink_det.report.model_card import write_card
from rethink_det.study.trained_networks import Metrics, TrainedNetwork, trained_network
from rethink_det.training.config import find_config, load_config


def run(options: argparse.Namespace) -> int:
    """Prune, write the checkpoint, print what is left of each layer and what it cost."""
    read = (options.config, options.checkpoint, options.initial, _target(options))
    check_output(options.out, read, options.force)
    settings = {'type': options.pruner, **options.pruner_options}
    # First of all the config: its custom_imports may bring the method.
    config = load_config(find_config(options.config), options.cfg_options)
    pruner = build_pruner(settings)
    network = trained_network(config, options.checkpoint, options.ema)
    initial = network.initial_weights(options.initial)
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message=f'{type(pruner).__name__}: ')  # it is printed
        pruned = network.prune(pruner, options.device)
    network.save_pruned(pruned, options.out, settings, initial)
    if options.explain:
        _explain(explained(pruner, network.architecture, pruned))
    _show(network, pruned.architecture)
    if pruned.goal is not None:
        print(pruned.goal)
        if pruned.goal.basis:
            print(pruned.goal.basis)
    if pruned.reach.note:
        print(f'warning: {pruned.reach.note}')
    if initial is not None:
        print('the initial weights, pruned alike, are in it for the lottery arm')
    metrics = None if options.no_eval else _show_metrics(network, options.out)
    card = write_card(Path(options.out), metrics)
    print(f'wrote {options.out} and {card.name}')
    return 0


def _target(options: argparse.Namespace) -> str | None:
    target = options.pruner_options.get('target')
    return target if isinstance(target, str) else None


def _show(network: TrainedNetwork, after: PrunedArchitecture) -> None:
    console = Console()
    table = Table('layer', 'kept', 'of')
    for row in _rows(after):
        table.add_row(*row)
    console.print(table)
    old, new = network.cost(), network.cost(after)
    for name in ('params', 'macs'):
        console.print(f'{name}: {_change(old, new, name)}')


def _explain(layers: Sequence[Explained]) -> None:
    table = Table('layer', 'asked', 'got', 'kept', 'of', 'why')
    for one in layers:
        asked = '-' if one.asked is None else f'{one.asked:.1%}'
        table.add_row(one.layer, asked, f'{one.got:.1%}', str(one.kept), str(one.width), one.why)
    Console().print(table)


def _rows(architecture: PrunedArchitecture) -> Iterator[tuple[str, str, str]]:
    for layer in architecture.channels:
        yield layer, str(architecture.kept(layer)), str(architecture.widths[layer])
    for layer, selected in architecture.selections.items():
        yield f'{layer} (inputs)', str(len(selected)), str(architecture.inputs(layer))
    for block in architecture.removed_blocks:
        yield f'{block} (residual branch)', '0', '1'
    for name, (kept, size) in architecture.masked().items():
        yield f'{name} (weights)', f'{kept:,}', f'{size:,}'


def _change(old: Cost, new: Cost, name: str) -> str:
    before, after = getattr(old, name), getattr(new, name)
    return f'{before:,} -> {after:,} ({after / before:.1%})'


def _show_metrics(network: TrainedNetwork, pruned: str) -> Metrics | None:
    """Metrics before and right after pruning, if the config can evaluate; gives the latter."""
    try:
        before, after = network.evaluate(), network.evaluate_pruned(pruned)
    except (UserError, FileNotFoundError) as error:
        print(f'accuracy: not measured ({error})')
        return None
    for name in before:
        print(f'{name}: {before[name]:.4g} -> {after[name]:.4g}')
    return after
