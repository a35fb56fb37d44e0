"""What pruning costs: beside Torch-Pruning's own pruner, and one method by itself."""

import copy
import time
from collections.abc import Mapping
from typing import Any

import torch
import torch_pruning as tp
from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import Network
from rethink_det.benchmark.timing import compare, peak_memory
from rethink_det.defaults import TIMED_RATIO
from rethink_det.pruning import build_pruner, prune

BATCH = 32
"""Images at once."""


def against_torch_pruning(name: str, rounds: int) -> None:
    """L1-norm and coupled group-norm pruning of an architecture, beside Torch-Pruning's own.

    All leave the network as it is and return a pruned copy. Ours and Torch-Pruning in the same
    layers remove the same number of channels; Torch-Pruning by itself also narrows the residual
    streams, in all layers but the class scores.
    """
    print(f'prune: {name}, half the channels, by L1-norm (l1) and in coupled groups (l2)')
    architecture = PrunedArchitecture.load(name)
    network = architecture.build_network()
    pruner = {'type': 'L1NormPruner', 'ratios': TIMED_RATIO}
    pruned = prune(network, pruner, architecture).architecture.channels
    layers = {n: m for n, m in network.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
    others = [n for n in layers if n.removeprefix('backbone.') not in pruned]
    shape = (1, *architecture.input_shape)
    compare(
        {
            'ours, l1': lambda: prune(network, pruner, architecture),
            'Torch-Pruning, l1': lambda: _peer(network, shape, list(layers)[-1:]),
            'Torch-Pruning in the same layers, l1': lambda: _peer(network, shape, others),
            'ours, l2': lambda: prune(network, COUPLED, architecture),
            'Torch-Pruning, l2': lambda: _peer(network, shape, list(layers)[-1:], GROUPS),
        },
        rounds,
    )


COUPLED = {'type': 'GroupNormPruner', 'ratios': TIMED_RATIO}
"""Our pruner of the same."""
FILTERS = tp.importance.MagnitudeImportance(p=1)
"""Torch-Pruning's importance of filters alone."""
GROUPS = tp.importance.GroupMagnitudeImportance(p=2)
"""Torch-Pruning's importance of all that goes together."""


def _peer(
    network: Network, shape: tuple[int, ...], ignored: list[str], importance: Any = FILTERS
) -> Network:
    """The pruned copy that Torch-Pruning makes, the way its documentation does."""
    network = copy.deepcopy(network)
    tp.pruner.MagnitudePruner(
        network,
        torch.randn(shape),
        importance=importance,
        pruning_ratio=TIMED_RATIO,
        ignored_layers=[network.get_submodule(name) for name in ignored],
    ).step()
    return network


def by_itself(name: str, method: Mapping, images: int) -> None:
    """Time and peak memory of one method on an architecture with fresh weights.

    Args:
        name: The architecture, see :meth:`PrunedArchitecture.load`.
        method: Config of the pruner; half the channels unless it says something else.
        images: Number of images of noise, with labels, for a method that looks at data.
    """
    architecture = PrunedArchitecture.load(name)
    network = architecture.build_network()
    pruner = build_pruner(method)
    data = noise(images, architecture)
    before = peak_memory()
    started = time.perf_counter()
    prune(network, pruner, architecture, data)
    seconds = time.perf_counter() - started
    print(f'prune: {name}, {dict(method)}, {images} images')
    print(f'  {seconds:.2f} s, peak memory {peak_memory() / 2**20:.0f} MiB')
    print(f'  (before pruning {before / 2**20:.0f} MiB, with network and images)')


def noise(images: int, architecture: PrunedArchitecture) -> list[tuple[Tensor, Tensor]]:
    """Batches of labelled images for a network."""
    shape, classes = architecture.input_shape, architecture.head['num_classes']
    sizes = [min(BATCH, images - start) for start in range(0, images, BATCH)]
    return [(torch.randn(size, *shape), torch.randint(classes, (size,))) for size in sizes]
