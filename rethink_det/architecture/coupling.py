"""Coupled groups: which layers can only lose channels together, and which channels.

Read off a :class:`~.channel_trace.ChannelTrace`. A *unit* is what of a set of tied nodes lies in
layers: the least that can go; whatever is made of whole units is a network.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rethink_det.architecture.channel_ties import Nodes
from rethink_det.architecture.channel_trace import ChannelTrace
from rethink_det.architecture.coupled_group import CoupledGroup, Unit


class Coupling:
    """What of a network's layers is tied to what.

    Attributes:
        trace: Of the network.
        layers: Of each layer that may lose channels the sets that its output channels are in.
        reasons: Why sets must stay, by their number.

    Args:
        trace: Of a network that was not cut yet.
        layers: The names of those layers, and what they are called in the network.
        others: What all other layers are called: they keep their widths.
    """

    def __init__(
        self, trace: ChannelTrace, layers: Mapping[str, str], others: Iterable[str]
    ) -> None:
        self.trace = trace
        made = {name: trace.made_by(path) for name, path in layers.items()}
        self.layers = {name: trace.sets.of[n] for name, n in made.items() if n is not None}
        self.reasons: dict[int, str] = dict(trace.sets.reasons)
        for path in others:
            nodes = trace.made_by(path)
            for one in () if nodes is None else np.unique(trace.sets.of[nodes]):
                self.reasons.setdefault(int(one), f'{path}, which keeps its width, is tied to it')

    def set_of(self, unit: Unit) -> int:
        """The number of the set that a unit is."""
        name, channels = next(iter(unit.items()))
        return int(self.layers[name][channels[0]])

    @cached_property
    def groups(self) -> list[CoupledGroup]:
        """All groups, in the network's order."""
        if not self.layers:
            return []
        kinds = _kinds(self.trace, np.unique(np.concatenate([*self.layers.values()])))
        halves = _halves(self.trace)
        return [self._group(names, kinds, halves) for names in _joined(self.layers)]

    def _group(
        self,
        names: Sequence[str],
        kinds: Mapping[int, bytes],
        halves: Sequence[tuple[Counter, Counter]],
    ) -> CoupledGroup:
        units: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for name in names:
            for channel, one in enumerate(self.layers[name].tolist()):
                units[one][name].append(channel)
        free: dict[bytes, list[Unit]] = defaultdict(list)
        firsts: dict[bytes, int] = {}
        fixed: dict[str, list[int]] = defaultdict(list)
        for one, unit in units.items():
            if one in self.reasons:
                for name, channels in unit.items():
                    fixed[name].extend(channels)
            else:
                firsts.setdefault(kinds[one], one)
                free[kinds[one]].append({name: tuple(unit[name]) for name in unit})
        rows = [tuple(a[one] - b[one] for one in firsts.values()) for a, b in halves]
        obstacle = None
        if not free:
            obstacle = next(self.reasons[one] for one in units if one in self.reasons)
        elif all(len(of_kind) == 1 for of_kind in free.values()):
            obstacle = 'its channels can only go all together'
        return CoupledGroup(
            {name: len(self.layers[name]) for name in names},
            tuple(tuple(of_kind) for of_kind in free.values()),
            {name: tuple(sorted(channels)) for name, channels in fixed.items()},
            obstacle,
            tuple(dict.fromkeys(row for row in rows if any(row))),
        )


def _joined(layers: Mapping[str, Nodes]) -> list[list[str]]:
    """Layers that have a set in common."""
    numbers = np.repeat(np.arange(len(layers)), [len(sets) for sets in layers.values()])
    sets = np.concatenate(list(layers.values())) + len(layers)
    size = int(sets.max()) + 1
    graph = coo_array((np.ones(len(sets), bool), (numbers, sets)), (size, size))
    _, of = connected_components(graph, directed=False)
    found: dict[int, list[str]] = defaultdict(list)
    for name, number in zip(layers, of[: len(layers)], strict=True):
        found[int(number)].append(name)
    return list(found.values())


def _kinds(trace: ChannelTrace, wanted: Nodes) -> dict[int, bytes]:
    """What each set is in, and how often: sides of parameters, and parts that are split off.

    Args:
        trace: Of the network.
        wanted: Numbers of sets.

    Returns:
        Of each the same bytes for the same.
    """
    views = [*trace.sides.values(), *(part for parts in trace.sets.parts for part in parts)]
    sets = trace.sets.of[np.concatenate(views)]
    numbers = np.repeat(np.arange(len(views)), [len(nodes) for nodes in views])
    places, counts = np.unique(sets * len(views) + numbers, return_counts=True)
    sets, numbers = np.divmod(places, len(views))
    starts = np.searchsorted(sets, wanted, 'left')
    ends = np.searchsorted(sets, wanted, 'right')
    places = np.stack([numbers, counts], axis=1)
    ranges = zip(wanted.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return {one: places[start:end].tobytes() for one, start, end in ranges}


def _halves(trace: ChannelTrace) -> list[tuple[Counter, Counter]]:
    """Parts of the same size that a network splits: how often each set is in either."""
    found: list[tuple[Counter, Counter]] = []
    for first, *others in trace.sets.parts:
        for other in others:
            if len(other) == len(first):
                one, two = (Counter(trace.sets.of[nodes].tolist()) for nodes in (first, other))
                found.append((one, two))
    return found
