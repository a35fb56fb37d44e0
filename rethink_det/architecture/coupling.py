"""Coupled groups: which layers can only lose channels together, and which channels.

Torch-Pruning's dependency graph says, of a layer's output channels, what every other layer must
lose along: layers that are added to one another, gates, depthwise convolutions, norms. Two
things are added here. *Slices*: grouped convolutions and GroupNorm work on equal slices of their
channels, which stay equal: the same places go in all of them. *Units*: the least sets of
channels, over all layers of a group, that can go; whatever is made of whole units is a network.

Source of the graph, and of narrowing all groups of a convolution alike: DepGraph (arXiv
2301.12900).
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from torch import nn
from torch_pruning.dependency import Dependency

from rethink_det.architecture.input_selection import SELECTING
from rethink_det.architecture.network import Layer
from rethink_det.architecture.surgery import Surgeon, is_grouped, width_of
from rethink_det.errors import UserError

Channels = Mapping[str, tuple[int, ...]]
"""Layer to some of its output channels, sorted."""

Unit = Channels
"""Channels of which none can go without the others."""


@dataclass(frozen=True)
class CoupledGroup:
    """Layers whose output channels live and die together.

    Attributes:
        widths: How many output channels each convolution or linear layer of it has, by name, in
            the network's order.
        kinds: Its units; those of a kind are read and made by the same layers in the same way.
            Of each kind the same share goes, so that what a network splits in halves stays so.
        roots: Those layers that the others are tied to.
        obstacle: Why nothing of the group can go, or ``None`` if something can.
    """

    widths: Mapping[str, int]
    kinds: tuple[tuple[Unit, ...], ...]
    roots: tuple[str, ...]
    obstacle: str | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """Names of its layers."""
        return tuple(self.widths)

    @property
    def root(self) -> str:
        """What the group is called by: its first layer."""
        return self.members[0]

    def numbers(self, share: Fraction) -> list[int]:
        """How many units of each kind that share of them is, rounded down, but not to nothing."""
        return [max(1, int(len(units) * share)) for units in self.kinds]

    def shares(self) -> list[Fraction]:
        """All shares that make different numbers of units, from the smallest to the whole."""
        steps = {len(units) for units in self.kinds}
        return sorted({Fraction(number, step) for step in steps for number in range(1, step + 1)})

    def widths_of(self, numbers: Sequence[int]) -> dict[str, int]:
        """How many channels the layers keep if so many units of each kind stay."""
        widths = dict.fromkeys(self.members, 0)
        for units, number in zip(self.kinds, numbers, strict=True):
            for name, channels in units[0].items():
                widths[name] += number * len(channels)
        return widths

    def numbers_for(self, counts: Mapping[str, int]) -> list[int]:
        """How many units of each kind stay, so that layers keep so many channels.

        Args:
            counts: Some layers, or all, and how many channels they keep.

        Raises:
            UserError: The group cannot be cut, or no share of its units makes these counts.
        """
        if all(count == self.widths[name] for name, count in counts.items()):
            return self.numbers(Fraction(1))
        if self.obstacle:
            raise UserError(f'Layer {self.root} cannot be pruned: {self.obstacle}.')
        for numbers in map(self.numbers, self.shares()):
            if counts.items() <= self.widths_of(numbers).items():
                return numbers
        told = ', '.join(f'{name} {count} of {self.widths[name]}' for name, count in counts.items())
        raise UserError(
            f'Layers that are tied to one another cannot keep such numbers of channels: {told}.'
        )

    def kept(self, units: Iterable[Unit]) -> dict[str, tuple[int, ...]]:
        """What every layer keeps if these units stay."""
        kept: dict[str, list[int]] = {name: [] for name in self.members}
        for unit in units:
            for name, channels in unit.items():
                kept[name].extend(channels)
        return {name: tuple(sorted(channels)) for name, channels in kept.items()}


@dataclass(frozen=True)
class Follower:
    """A side of a module that loses channels when a layer does.

    Attributes:
        dependency: The edge of the dependency graph that leads there.
        makes: Whether it is the output's side; of what makes the channels that it reads, a norm
            or a depthwise convolution, this side stands for both.
        width: How many channels it has; ``None`` of an operation that has none of its own.
        sources: Channels of the layer.
        places: What goes here along with each.
    """

    dependency: Dependency
    makes: bool
    width: int | None
    sources: Sequence[int]
    places: Sequence[int]

    @property
    def module(self) -> Any:
        """The module, a parameter, or an operation of the graph."""
        return self.dependency.target.module


class Tie(NamedTuple):
    """A channel, and the one of a layer that it goes with; Torch-Pruning's mappings map such."""

    idx: int
    root_idx: int


def followers(surgeon: Surgeon, name: str, channels: Sequence[int]) -> Iterator[Follower]:
    """What goes along with output channels of a layer, that layer first.

    As :meth:`.Surgeon.tied_group`, but nothing is left out where two channels of the layer lead
    to the same one of another.
    """
    for dependency, ties in _spread(surgeon, name, channels):
        makes = surgeon.graph.is_out_channel_pruning_fn(dependency.handler)
        sources, places = [tie.root_idx for tie in ties], [tie.idx for tie in ties]
        yield Follower(dependency, makes, surgeon.side_width(dependency), sources, places)


def _spread(
    surgeon: Surgeon, name: str, channels: Sequence[int]
) -> Iterator[tuple[Dependency, Sequence[Tie]]]:
    """Every edge that is followed, with the ties that are new at its end."""
    layer = surgeon.producer(name)
    node, makes = surgeon.graph.module2node[layer], _pruner(surgeon, layer).prune_out_channels
    ties: Sequence[Tie] = [Tie(channel, channel) for channel in channels]
    waiting = [(Dependency(makes, makes, node, node), ties)]
    known: dict[Hashable, set[Tie]] = defaultdict(set)
    while waiting:
        edge, ties = waiting.pop()
        seen = known[edge.target, edge.handler]
        ties = [tie for tie in dict.fromkeys(ties) if tie not in seen]
        if not ties or (surgeon.side_width(edge) == 1 and any(tie.idx for tie in ties)):
            continue
        seen.update(ties)
        yield edge, ties
        for following in edge.target.dependencies:
            if following.is_triggered_by(edge.handler):
                waiting.append((following, _mapped(following, ties)))


def _mapped(edge: Dependency, ties: Sequence[Tie]) -> Sequence[Tie]:
    for mapping in edge.index_mapping:
        ties = ties if mapping is None else mapping(ties)
    return ties


def _pruner(surgeon: Surgeon, module: nn.Module) -> Any:
    return surgeon.graph.get_pruner_of_module(module)


def slices(module: nn.Module) -> int:
    """In how many equal slices a module works on its channels."""
    if is_grouped(module):
        return module.groups
    return module.num_groups if isinstance(module, nn.GroupNorm) else 1


def obstacle(surgeon: Surgeon, follower: Follower) -> str | None:
    """Why a module cannot follow, or ``None`` if it can."""
    module, name = follower.module, surgeon.name_of(follower.module)
    if isinstance(module, SELECTING) and not follower.makes:
        return f'{name} reads a selection of its channels'
    if isinstance(module, Layer) and follower.makes and name not in surgeon.producers():
        return f'{name}, which keeps its width, is added to it'
    if is_grouped(module) and module.groups == module.out_channels:
        return f'{name} makes a single channel of each of its groups'
    if follower.width is not None and max(follower.places) >= follower.width:
        return f'{name} has fewer channels than it is combined with'
    return None


def coupled_groups(surgeon: Surgeon) -> list[CoupledGroup]:
    """All groups of a network that was not cut yet, in its order.

    Layers that no output depends on are in none.
    """
    return _Coupling(surgeon).groups()


K = TypeVar('K', bound=Hashable)


class _Ties:
    """Sets that are joined: a union-find."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def find(self, key: Hashable) -> Hashable:
        path = [key]
        while (above := self._above.setdefault(path[-1], path[-1])) != path[-1]:
            path.append(above)
        self._above.update(dict.fromkeys(path, path[-1]))
        return path[-1]

    def join(self, one: Hashable, other: Hashable) -> None:
        self._above[self.find(one)] = self.find(other)

    def sets(self, keys: Iterable[K]) -> list[list[K]]:
        """The given keys by set, both in the order given."""
        found: dict[Hashable, list[K]] = {}
        for key in keys:
            found.setdefault(self.find(key), []).append(key)
        return list(found.values())


class _Coupling:
    """What is tied to what: filled layer by layer."""

    def __init__(self, surgeon: Surgeon) -> None:
        self.surgeon = surgeon
        self.layers = _Ties()
        self.channels = _Ties()
        self.views: dict[tuple[str, int], Counter] = defaultdict(Counter)
        self.covered: dict[tuple[str, bool], set[int]] = defaultdict(set)
        self.sliced: dict[tuple[str, bool], int] = {}
        self.obstacles: dict[Hashable, str] = {}
        self.roots: list[str] = []
        graph, layers = (
            surgeon.graph,
            {name: surgeon.producer(name) for name in surgeon.producers()},
        )
        self.widths = {n: width_of(m) for n, m in layers.items() if m in graph.module2node}
        for name, width in self.widths.items():
            if len(self.covered[name, True]) < width:
                self.roots.append(name)
                for follower in followers(surgeon, name, range(width)):
                    self._tie(name, follower)

    def groups(self) -> list[CoupledGroup]:
        for side, width in self.sliced.items():
            if len(self.covered[side]) < width:
                self._hinder(side, f'{side[0]} works on slices of channels, some of which stay')
        return [self._group(members) for members in self.layers.sets(self.widths)]

    def _tie(self, root: str, follower: Follower) -> None:
        view = (root, follower.dependency.target, follower.makes)
        for source in follower.sources:
            self.views[root, source][view] += 1
        module, width = follower.module, follower.width
        if width is None or not self.surgeon.has(module):
            return
        name = self.surgeon.name_of(module)
        side, size = (name, follower.makes), width // slices(module)
        if why := obstacle(self.surgeon, follower):
            self._hinder(root, why)
        member = isinstance(module, Layer) and follower.makes and name in self.widths
        if member:
            self.layers.join(root, name)
        if size < width:
            self.sliced[side] = width
            self.layers.join(root, side)
        self.covered[side].update(follower.places)
        for source, place in zip(follower.sources, follower.places, strict=True):
            if member and (name, place) != (root, source):
                self.channels.join((root, source), (name, place))
            if size < width:
                self.channels.join((root, source), (*side, place % size))

    def _hinder(self, key: Hashable, why: str) -> None:
        self.obstacles.setdefault(self.layers.find(key), why)

    def _group(self, members: Sequence[str]) -> CoupledGroup:
        kinds: dict[Hashable, list[Unit]] = {}
        nodes = [(name, place) for name in members for place in range(self.widths[name])]
        for unit in self.channels.sets(nodes):
            views = Counter[Hashable]()
            for node in unit:
                views.update(self.views.get(node, ()))
            kinds.setdefault(frozenset(views.items()), []).append(_by_layer(unit))
        found = tuple(tuple(units) for units in kinds.values())
        root = self.layers.find(members[0])
        hindering = (why for key, why in self.obstacles.items() if self.layers.find(key) == root)
        why = next(hindering, None)
        if why is None and all(len(units) == 1 for units in found):
            why = 'its channels can only go all together'
        roots = tuple(name for name in self.roots if name in members)
        return CoupledGroup({name: self.widths[name] for name in members}, found, roots, why)


def _by_layer(unit: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    channels: dict[str, list[int]] = defaultdict(list)
    for name, place in unit:
        channels[name].append(place)
    return {name: tuple(sorted(places)) for name, places in channels.items()}
