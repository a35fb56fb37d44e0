"""Coupled groups: which layers can only lose channels together, and which channels.

Read off a :class:`~.channel_trace.ChannelTrace`. A *unit* is what of a set of tied nodes lies in
layers: the least that can go; whatever is made of whole units is a network.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rethink_det.architecture.channel_ties import Nodes
from rethink_det.architecture.channel_trace import ChannelTrace
from rethink_det.architecture.coupled_group import Channels, CoupledGroup, Unit
from rethink_det.architecture.surgery import Surgeon

__all__ = ['Channels', 'CoupledGroup', 'Unit', 'coupled_groups', 'sets_of_layers', 'why_fixed']


def sets_of_layers(surgeon: Surgeon) -> dict[str, Nodes]:
    """Of each layer of a surgeon's network the sets that its output channels are in."""
    trace = surgeon.trace
    nodes = {name: trace.made_by(surgeon.path_of(m)) for name, m in surgeon.producing().items()}
    return {name: trace.sets.of[n] for name, n in nodes.items() if n is not None}


def why_fixed(surgeon: Surgeon) -> Mapping[int, str]:
    """Why sets must stay, by their number."""
    trace = surgeon.trace
    reasons = dict(trace.sets.reasons)
    for path, _ in surgeon.other_layers():
        nodes = trace.made_by(path)
        for one in () if nodes is None else np.unique(trace.sets.of[nodes]):
            reasons.setdefault(int(one), f'{path}, which keeps its width, is tied to it')
    return reasons


def coupled_groups(surgeon: Surgeon) -> list[CoupledGroup]:
    """All groups of a network that was not cut yet, in its order."""
    layers, reasons = sets_of_layers(surgeon), why_fixed(surgeon)
    kinds = _kinds(surgeon.trace, {int(s) for sets in layers.values() for s in sets})
    return [_group(names, layers, kinds, reasons) for names in _joined(layers)]


def _joined(layers: Mapping[str, Nodes]) -> list[list[str]]:
    """Layers that have a set in common."""
    if not layers:
        return []
    numbers = np.repeat(np.arange(len(layers)), [len(sets) for sets in layers.values()])
    sets = np.concatenate(list(layers.values())) + len(layers)
    size = int(sets.max()) + 1
    graph = coo_array((np.ones(len(sets), bool), (numbers, sets)), (size, size))
    _, of = connected_components(graph, directed=False)
    found: dict[int, list[str]] = defaultdict(list)
    for name, number in zip(layers, of[: len(layers)], strict=True):
        found[int(number)].append(name)
    return list(found.values())


def _kinds(trace: ChannelTrace, wanted: set[int]) -> dict[int, frozenset]:
    """What each set is in, and how often: sides of parameters, and parts that are split off."""
    views: dict[int, Counter] = {number: Counter() for number in wanted}
    for number, nodes in enumerate([*trace.sides.values(), *trace.sets.parts]):
        sets, counts = np.unique(trace.sets.of[nodes], return_counts=True)
        for one, count in zip(sets.tolist(), counts.tolist(), strict=True):
            if one in views:
                views[one][number] += count
    return {one: frozenset(counter.items()) for one, counter in views.items()}


def _group(
    names: Sequence[str],
    layers: Mapping[str, Nodes],
    kinds: Mapping[int, frozenset],
    reasons: Mapping[int, str],
) -> CoupledGroup:
    units: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        for channel, one in enumerate(layers[name].tolist()):
            units[one][name].append(channel)
    free: dict[frozenset, list[Unit]] = defaultdict(list)
    fixed: dict[str, list[int]] = defaultdict(list)
    for one, unit in units.items():
        if one in reasons:
            for name, channels in unit.items():
                fixed[name].extend(channels)
        else:
            free[kinds[one]].append({name: tuple(unit[name]) for name in unit})
    obstacle = None
    if not free:
        obstacle = next(reasons[one] for one in units if one in reasons)
    elif all(len(of_kind) == 1 for of_kind in free.values()):
        obstacle = 'its channels can only go all together'
    return CoupledGroup(
        {name: len(layers[name]) for name in names},
        tuple(tuple(of_kind) for of_kind in free.values()),
        {name: tuple(sorted(channels)) for name, channels in fixed.items()},
        obstacle,
    )
