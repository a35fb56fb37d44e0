"""One backbone pruned to half of all widths, by this package and by Torch-Pruning itself.

``python -m rethink_det.benchmark.backbone_sweep ENTRY FILE`` does it for an entry of the list
(:func:`entries`) and writes what came out, see :mod:`.sweep`. Pruned by this package, the network
is also written, read back, put under a feature pyramid with its weights, and trained a step from
fresh ones.
"""

import json
import logging
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch_pruning as tp
from torch import Tensor, nn

import rethink_det
from rethink_det.architecture import Checkpoint, PrunedArchitecture
from rethink_det.architecture.cost import count
from rethink_det.architecture.network import all_features
from rethink_det.architecture.provenance import Provenance
from rethink_det.benchmark.sweep import Outcome, answer
from rethink_det.errors import in_one_line
from rethink_det.pruning import PruneResult, prune_state
from rethink_det.registered import build
from rethink_det.registry import MODELS

RATIO = 0.5
"""What goes of every layer."""

PRUNER = {'type': 'rethink_det.GroupNormPruner', 'ratios': RATIO}
PATIENCE = 60
"""Seconds that Torch-Pruning is given."""

HEAD = {'type': 'rethink_det.LinearHead', 'num_classes': 10}
LIST = Path(__file__).with_name('backbones.json')


def entries() -> dict[str, Any]:
    """The list: name to registry config and input shape.

    All backbones of mmdet, the smallest model of each family of torchvision's classification
    models, and of timm's families in alphabetical order as many as make a hundred.
    """
    listed = json.loads(LIST.read_text(encoding='utf-8'))
    return {entry['name']: entry for entry in listed}


def ask(entry: Mapping[str, Any]) -> Outcome:
    """What comes of one backbone.

    Args:
        entry: Of the list; with ``peer=False`` Torch-Pruning is not asked.

    Returns:
        ``macs`` of the whole; ``left``: the share of them that this package leaves; ``peer``: that
        Torch-Pruning leaves, or ``peer_error``; ``seconds`` and ``peer_seconds``; ``said``: the
        pruner's warnings; ``works``: what was done with the pruned network.
    """
    architecture = PrunedArchitecture(entry['backbone'], HEAD, tuple(entry['input_shape']))
    torch.manual_seed(0)
    network = architecture.build_network().eval()
    whole = count(network, architecture.input_shape).macs
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    outcome: dict[str, Any] = {'macs': whole, 'versions': _versions()}
    if entry.get('peer', True):
        outcome |= _theirs(network, architecture, whole)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        start = time.perf_counter()
        result = prune_state(state, PRUNER, architecture)
        outcome['seconds'] = time.perf_counter() - start
    notes = [str(one.message) for one in said if issubclass(one.category, UserWarning)]
    outcome['said'] = [note for note in notes if 'whole' in note or 'Asked for' in note]
    outcome['left'] = result.architecture.cost().macs / whole
    outcome['works'] = _works(result, architecture)
    return outcome


def _versions() -> dict[str, str]:
    return {
        'rethink_det': rethink_det.__version__,
        'torch': torch.__version__,
        'torch_pruning': tp.__version__,
        'date': time.strftime('%Y-%m-%d'),
    }


def _theirs(network: Any, architecture: PrunedArchitecture, whole: int) -> dict[str, Any]:
    """What Torch-Pruning makes of it, told of the heads of attention and the class scores."""
    attentions: list[Any] = [module for module in network.modules() if _is_attention(module)]
    heads = {attention.qkv: attention.num_heads for attention in attentions}
    scores = [m for m in network.head.modules() if isinstance(m, nn.Linear)][-1]
    images = torch.randn(1, *architecture.input_shape)
    start = time.perf_counter()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(PATIENCE)
    try:
        pruner = tp.pruner.BasePruner(
            network,
            images,
            tp.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=RATIO,
            ignored_layers=[scores],
            num_heads=heads,
            in_channel_groups={},
            out_channel_groups={},
        )
        pruner.step()
        seconds = time.perf_counter() - start
        for attention in attentions:  # as Torch-Pruning's examples do
            attention.num_heads = pruner.num_heads[attention.qkv]
            attention.head_dim = attention.qkv.out_features // (3 * attention.num_heads)
        left = count(network, architecture.input_shape).macs / whole
    except Exception as error:  # whatever it raises, or the network that it leaves
        return {'peer_error': in_one_line(error)[:200]}
    finally:
        signal.alarm(0)
    return {'peer': left, 'peer_seconds': seconds}


def _too_long(*_: object) -> None:
    raise TimeoutError(f'not done within {PATIENCE} s')


def _is_attention(module: Any) -> bool:
    return isinstance(getattr(module, 'qkv', None), nn.Linear) and hasattr(module, 'num_heads')


def _works(result: PruneResult, parent: PrunedArchitecture) -> dict[str, str | None]:
    """What a user does next, and how it fails; ``None`` where it does not."""
    steps: dict[str, Callable[[], None]] = {
        'saved': lambda: _save(result),
        'transferred': lambda: _transfer(result),
        'trained': lambda: _train(result.architecture.shape()),
    }
    found: dict[str, str | None] = {}
    for name, step in steps.items():
        try:
            step()
            found[name] = None
        except Exception as error:  # whatever a network raises
            found[name] = in_one_line(error)[:200]
    return found


@torch.no_grad()
def _save(result: PruneResult) -> None:
    """Write it and read it back: it computes the same."""
    images = torch.randn(1, *result.architecture.input_shape)
    expected = result.architecture.network_with(result.state_dict).eval()(images)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'backbone.pth'
        Checkpoint(
            state_dict=result.state_dict,
            architecture=result.architecture.to_dict(),
            provenance=Provenance.unknown(),
            input_convention=None,
            masks={},
            initial=None,
        ).write(file)
        checkpoint = Checkpoint.read(file)
        again = PrunedArchitecture.load(checkpoint).network_with(checkpoint.weights).eval()
    if not torch.equal(again(images), expected):
        raise ValueError('read back, it computes something else')


@torch.no_grad()
def _transfer(result: PruneResult) -> None:
    """Its feature maps, by its own weights, go into a feature pyramid."""
    config = {'type': 'rethink_det.PrunedBackbone', 'architecture': result.architecture.to_dict()}
    backbone = build(MODELS, config)
    backbone.eval()  # of some of mmdet's that returns nothing
    prefix = 'backbone.'
    own = {n.removeprefix(prefix): t for n, t in result.state_dict.items() if n.startswith(prefix)}
    backbone.load_state_dict(own)
    maps = all_features(backbone(torch.randn(1, *result.architecture.input_shape)))
    neck = {'type': 'mmdet.FPN', 'in_channels': [m.shape[1] for m in maps], 'out_channels': 8}
    pyramid = build(MODELS, {**neck, 'num_outs': len(maps)})
    _finite(*pyramid(maps))


def _train(shape: PrunedArchitecture) -> None:
    """From fresh weights, a step."""
    network = shape.build_network()
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    scores = network(torch.randn(2, *shape.input_shape))  # of TridentNet's three branches each
    loss = nn.functional.cross_entropy(scores, torch.arange(len(scores)) % 2)
    loss.backward()
    optimizer.step()
    _finite(loss, *network.parameters())


def _finite(*tensors: Tensor) -> None:
    if not all(torch.isfinite(tensor).all() for tensor in tensors):
        raise ValueError('not all of it is finite')


if __name__ == '__main__':
    logging.disable(logging.WARNING)
    answer(ask, sys.argv[1:])
