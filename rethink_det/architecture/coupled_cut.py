"""Surgery on coupled groups: what every parameter loses, found on the whole network at once.

:func:`removals` checks that what goes is made of whole units, and says what goes where;
:func:`cut` and :func:`zero` do it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from rethink_det.architecture.channel_indices import check_kept, count_of, other_indices
from rethink_det.architecture.channel_ties import Nodes
from rethink_det.architecture.channel_trace import ChannelTrace, Side
from rethink_det.architecture.coupled_group import CoupledGroup
from rethink_det.architecture.module_widths import set_widths
from rethink_det.architecture.own_numbers import set_numbers, solved
from rethink_det.architecture.surgery import Surgeon, is_grouped, width_of
from rethink_det.errors import UserError

Wanted = Mapping[str, int | Sequence[int]]
"""Layer to which channels it keeps, or how many."""


_LAST: WeakKeyDictionary[Surgeon, tuple[Wanted, 'Removal']] = WeakKeyDictionary()
"""What was last found on a network."""


@dataclass(frozen=True)
class Removal:
    """What goes: sets of tied channels.

    Attributes:
        trace: Of the network.
        gone: The numbers of the sets.
    """

    trace: ChannelTrace
    gone: frozenset[int]
    _cut: dict[str, tuple[Tensor, int, Tensor]] = field(default_factory=dict, compare=False)

    def taken(self, name: str, tensor: Tensor, kept: Mapping[int, Nodes]) -> Tensor:
        """What stays of a tensor; if it was asked before and nobody wrote into it, the same.

        Args:
            name: Its name.
            tensor: It.
            kept: Which indices stay along its dimensions.
        """
        source, version, found = self._cut.get(name, (None, 0, tensor))
        if source is not tensor or version != tensor._version:
            found = _taken(tensor, kept)
            self._cut[name] = tensor, tensor._version, found
        return found

    def left(self, nodes: Nodes) -> int:
        """How many of some nodes stay."""
        return int(self._stays(nodes).sum())

    @cached_property
    def kept(self) -> Mapping[Side, Nodes]:
        """Which indices stay along each dimension that loses some."""
        found = {}
        for side, nodes in self.trace.sides.items():
            stays = self._stays(nodes)
            if not stays.all():
                found[side] = np.flatnonzero(stays)
        return found

    @cached_property
    def _mask(self) -> Nodes:
        mask = np.ones(self.trace.sets.number, bool)
        mask[list(self.gone)] = False
        return mask

    def _stays(self, nodes: Nodes) -> Nodes:
        return self._mask[self.trace.sets.of[nodes]] | (nodes < 0)


def cut(surgeon: Surgeon, keep: Wanted) -> None:
    """Remove all other channels than those kept, in place; the surgeon is used up.

    Arguments and errors as :func:`removals`.
    """
    remove(surgeon.model, removals(surgeon, keep))


def remove(model: nn.Module, removal: Removal) -> None:
    """Remove what was found on a network from it, in place."""
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    kept: dict[str, dict[int, Nodes]] = {}
    for (name, dim), indices in removal.kept.items():
        kept.setdefault(name, {})[dim] = indices
    new = {id(tensors[n]): removal.taken(n, tensors[n], dims) for n, dims in kept.items()}
    for module in model.modules():
        if _replaced(module, new):
            set_widths(module)
    set_numbers(model, solved(removal.trace.demands, removal.left))


@contextmanager
def removed(model: nn.Module, removal: Removal) -> Iterator[None]:
    """The network without what goes; put back afterwards."""
    before = [(m, dict(vars(m)), {**m._parameters, **m._buffers}) for m in model.modules()]
    remove(model, removal)
    try:
        yield
    finally:
        for module, attributes, tensors in before:
            for name, tensor in tensors.items():
                setattr(module, name, tensor)
            vars(module).clear()
            vars(module).update(attributes)


def _taken(tensor: Tensor, kept: Mapping[int, Nodes]) -> Tensor:
    data = tensor.detach()
    for dim, indices in kept.items():
        data = data.index_select(dim, torch.from_numpy(indices).to(data.device))
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(data, requires_grad=tensor.requires_grad)
    return data


def _replaced(module: nn.Module, new: Mapping[int, Tensor]) -> bool:
    """Put new tensors in the place of a module's own; says whether there were any."""
    own = {**module._parameters, **module._buffers}
    found = {name: new[id(tensor)] for name, tensor in own.items() if id(tensor) in new}
    for name, tensor in found.items():
        setattr(module, name, tensor)
    return bool(found)


@torch.no_grad()
def zero(surgeon: Surgeon, keep: Wanted) -> None:
    """Set all other channels than those kept to zero in all parameters, in place.

    Arguments and errors as :func:`removals`. What is cut computes the same, except where a norm,
    a mean or a softmax works on several channels together.
    """
    model = surgeon.model
    parameters = dict(model.named_parameters())
    for (name, dim), kept in removals(surgeon, keep).kept.items():
        if name in parameters:
            parameter = parameters[name]
            gone = other_indices(kept.tolist(), parameter.shape[dim])
            parameter.index_fill_(dim, torch.tensor(gone, device=parameter.device), 0)


def removals(surgeon: Surgeon, keep: Wanted) -> Removal:
    """What goes everywhere if layers keep some channels and no others.

    Args:
        surgeon: Of a network that was not cut yet.
        keep: Layer to which channels it keeps, or how many. Of a group one layer is enough;
            what is said of the others must agree.

    Raises:
        UserError: An unknown layer, an index out of range, a layer that cannot be cut, or layers
            that keep what does not go together.
    """
    last = _LAST.get(surgeon)
    if last is not None and last[0] == keep:  # what was tried is what is cut
        return last[1]
    indices, coupling = _indices(surgeon, keep), surgeon.coupling
    layers, reasons = coupling.layers, coupling.reasons
    gone: set[int] = set()
    for name, kept in indices.items():
        lost = other_indices(kept, width_of(surgeon.producer(name)))
        if lost and name not in layers:
            raise UserError(f'Layer {name} cannot be pruned: it has a single channel.')
        sets = layers[name][lost].tolist() if lost else []
        why = next((reasons[one] for one in sets if one in reasons), None)
        if why:
            raise UserError(f'Layer {name} cannot be pruned: {why}.')
        gone.update(sets)
    found = Removal(surgeon.trace, frozenset(gone))
    _check(surgeon, indices, layers, found)
    _LAST[surgeon] = dict(keep), found
    return found


def _check(
    surgeon: Surgeon,
    indices: Mapping[str, Sequence[int]],
    layers: Mapping[str, Nodes],
    removal: Removal,
) -> None:
    """That every layer keeps what it is to keep, and nothing is empty."""
    for name, wanted in indices.items():
        if name not in layers:
            continue
        kept = tuple(p for p, one in enumerate(layers[name].tolist()) if one not in removal.gone)
        module = surgeon.producer(name)
        if kept != tuple(wanted) and is_grouped(module):
            raise UserError(
                f'{name} works on {module.groups} equal slices of its channels: the same places '
                'must go in all of them.'
            )
        if kept != tuple(wanted):
            raise UserError(
                f'Layer {name} would keep other channels than the layers that it is tied to.'
            )
    for (name, _), left in removal.kept.items():
        if not len(left):
            raise UserError(f'Nothing would be left of the channels of {name}.')


def _indices(surgeon: Surgeon, keep: Wanted) -> dict[str, tuple[int, ...]]:
    """Which channels layers keep; where it is said how many, the first units of each group."""
    checked = {
        name: check_kept(f'Layer {name} would keep', kept, width_of(surgeon.producer(name)))
        for name, kept in keep.items()
    }
    chosen: dict[str, tuple[int, ...]] = {}
    if any(isinstance(kept, int) for kept in checked.values()):
        for group in surgeon.coupling.groups:
            counts = {name: checked[name] for name in group.members if name in checked}
            if any(isinstance(kept, int) for kept in counts.values()):
                chosen |= by_count(group, {n: count_of(kept) for n, kept in counts.items()})
    return {name: chosen[name] if isinstance(k, int) else k for name, k in checked.items()}


def by_count(group: CoupledGroup, counts: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """What the layers of a group keep if it is said how many: the first units of each kind.

    Raises:
        UserError: The group cannot be cut, or no share of its units makes these counts.
    """
    numbers = group.numbers_for(counts)
    return group.kept(
        unit for units, number in zip(group.kinds, numbers, strict=True) for unit in units[:number]
    )
