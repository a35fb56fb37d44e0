"""What Torch-Pruning's graph says wrongly of maps that a network splits by channels.

Torch-Pruning 1.6.0 takes the readers of a split's parts for sorted, but finds them in the order
in which it comes to them from the output; and it guesses the parts' widths from what reads them,
since torch names what it looks for otherwise (``_saved_split_size``). A concatenation that is
joined with a part in a further one then seems to be of another width, and it does not say where
its inputs are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import torch_pruning as tp

CHANNELS = 1


def mend_splits(graph: tp.DependencyGraph) -> None:
    """Put the readers of every split in the order of its parts, and the parts' true widths."""
    splits = [n for n in graph.module2node.values() if n.type == tp.ops.OPTYPE.SPLIT]
    for node in splits:
        parts = {
            (part, reader): reader
            for reader in node.outputs
            for before, part in reader.grad_fn.next_functions
            if before is node.grad_fn
        }
        if len(parts) == len(node.outputs):
            node.outputs[:] = [parts[key] for key in sorted(parts, key=itemgetter(0))]
            _set_widths(node.module, _widths(node.grad_fn))
    if splits:
        joins = [n for n in graph.module2node.values() if n.type == tp.ops.OPTYPE.CONCAT]
        for node in joins:
            node.module.concat_sizes = node.module.offsets = None  # found anew, from the parts
        tp.dependency.index_mapping.update_index_mapping(graph)
        for node in joins:
            _mend_join(node)


def _widths(operation: Any) -> list[int]:
    """Channels of each part; none if it is another dimension that is split."""
    if getattr(operation, '_saved_dim', None) != CHANNELS:
        return []
    if hasattr(operation, '_saved_split_sizes'):
        return list(operation._saved_split_sizes)
    sizes = getattr(operation, '_saved_self_sym_sizes', None)
    step = getattr(operation, '_saved_split_size', None)
    if sizes is None or step is None:
        return []
    return [min(step, sizes[CHANNELS] - start) for start in range(0, sizes[CHANNELS], step)]


def _set_widths(split: Any, widths: list[int]) -> None:
    if widths:
        split.split_sizes = widths
        split.offsets = [sum(widths[:number]) for number in range(len(widths) + 1)]


def _mend_join(node: Any) -> None:
    """Say where the inputs of a concatenation of channels are, if Torch-Pruning did not."""
    widths = node.module.concat_sizes
    known = node.module.offsets is not None or getattr(node.grad_fn, '_saved_dim', 0) != CHANNELS
    if known or not widths or None in widths:
        return
    done: list[Any] = []
    for number, before in enumerate(node.inputs):
        start = sum(widths[:number])
        for source, target, back in ((node, before, True), (before, node, False)):
            edges = (e for e in source.dependencies if e.target is target)
            edge = next((e for e in edges if not any(e is other for other in done)), None)
            if edge is not None:
                edge.index_mapping[1] = _Shift(start, widths[number], back)
                done.append(edge)


@dataclass(frozen=True)
class _Shift:
    """Maps channels of an input to those of a concatenation, or back those that are its own."""

    start: int
    width: int
    back: bool

    def __call__(self, ties: Sequence[Any]) -> list[Any]:
        if not self.back:
            return [tie._replace(idx=tie.idx + self.start) for tie in ties]
        own = (tie for tie in ties if self.start <= tie.idx < self.start + self.width)
        return [tie._replace(idx=tie.idx - self.start) for tie in own]
