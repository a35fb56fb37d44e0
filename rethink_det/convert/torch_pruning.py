"""Torch-Pruning's pruning history: which channels were removed, one step after the other.

``DependencyGraph.pruning_history()`` is a list of ``[layer, is_out, channels]``: the layer that
a step began at, whether its outputs or its inputs went, and which of those it had *then*. The
layers that had to follow are not written down: the steps are taken again on the same graph.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch_pruning as tp
from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import BACKBONE
from rethink_det.architecture.surgery import Surgeon
from rethink_det.bounds import is_int
from rethink_det.convert.known_networks import shapes_of
from rethink_det.convert.tensor_names import own_layer
from rethink_det.errors import UserError

KEYS = ('pruning', 'pruning_history')
"""Where a dict beside its weights has the history; the first is Torch-Pruning's own habit."""


def history_in(content: Any) -> list | None:
    """The history that a file holds, as it is or under one of :data:`KEYS`."""
    if isinstance(content, Mapping):
        content = next((content[key] for key in KEYS if key in content), None)
    return content if isinstance(content, list) else None


def replay(history: Sequence, parent: PrunedArchitecture, where: str) -> dict[str, tuple[int, ...]]:
    """Which of the parent's channels each narrower layer has after a history.

    Args:
        history: As above; layers by the foreign names.
        parent: The unpruned network.
        where: The file, for messages.

    Raises:
        UserError: A step that this network cannot take; names it.
    """
    network = parent.skeleton()
    surgeon = Surgeon(network, parent.input_shape, BACKBONE)
    layers = (nn.Conv2d, nn.Linear)
    left = {m: list(range(len(m.weight))) for m in network.modules() if isinstance(m, layers)}
    whole = {module: len(channels) for module, channels in left.items()}
    own = shapes_of(parent)
    for number, step in enumerate(history):
        name, outputs, channels = _step(step, f'{where}, step {number}')
        layer = own_layer(name, own)
        if layer is None or surgeon.module(layer) not in surgeon.graph.module2node:
            raise UserError(f'{where}: {parent.name or "the base"} has no layer {name!r}.')
        group = _group(surgeon, layer, outputs, channels, f'{where}, step {number}')
        for dep, channels in group.items:
            module = dep.target.module
            if module in left and surgeon.graph.is_out_channel_pruning_fn(dep.handler):
                gone = set(channels)
                left[module] = [c for i, c in enumerate(left[module]) if i not in gone]
        group.prune(record_history=False)
    kept = {surgeon.name_of(m): tuple(c) for m, c in left.items() if len(c) < whole[m]}
    stranger = next((name for name in kept if name not in parent.widths), None)
    if stranger:
        raise UserError(f'{where}: it removes outputs of {stranger}, the class scores.')
    return kept


def _step(step: Any, where: str) -> tuple[str, bool, list[int]]:
    listed = isinstance(step, (list, tuple)) and len(step) == 3
    if listed and isinstance(step[0], str) and isinstance(step[2], (list, tuple)):
        name, outputs, channels = step
        if channels and all(is_int(channel) for channel in channels):
            return name, bool(outputs), list(channels)
    raise UserError(f'{where}: {step!r} is no [layer, is_out, channels].')


def _group(
    surgeon: Surgeon, layer: str, outputs: bool, channels: Sequence[int], where: str
) -> tp.Group:
    """What one step removes, everything that follows included."""
    graph, module = surgeon.graph, surgeon.module(layer)
    width = (graph.get_out_channels if outputs else graph.get_in_channels)(module)
    if min(channels) < 0 or max(channels) >= width or len(set(channels)) >= width:
        raise UserError(
            f'{where}: it removes channels {list(channels)} of {layer}, which has {width} then: '
            'valid are some of them, not all. Was the history recorded on another network?'
        )
    pruner = graph.get_pruner_of_module(module)
    remove = pruner.prune_out_channels if outputs else pruner.prune_in_channels
    return graph.get_pruning_group(module, remove, list(channels))
