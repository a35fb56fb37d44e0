"""Surgery on coupled groups: what every module loses, found on the whole network at once.

:func:`removals` checks that what goes is made of whole units, and says what goes at every module;
:func:`cut` and :func:`zero` do it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from rethink_det.architecture.channel_indices import check_kept, count_of, other_indices
from rethink_det.architecture.coupling import (
    CoupledGroup,
    Follower,
    coupled_groups,
    followers,
    obstacle,
    slices,
)
from rethink_det.architecture.own_widths import settle
from rethink_det.architecture.surgery import Surgeon, width_of
from rethink_det.architecture.tracing import traceable
from rethink_det.errors import UserError


@dataclass
class Removal:
    """What one side of a module loses.

    Attributes:
        follower: The side.
        places: Which of its channels go.
    """

    follower: Follower
    places: set[int] = field(default_factory=set)

    def apply(self, module: Any) -> Any:
        """Take the channels away from a module, in place, or from a parameter, which is new."""
        handler: Any = self.follower.dependency.handler
        handler.__self__.pruning_dim = self.follower.dependency.target.pruning_dim
        return handler(module, sorted(self.places))


Removals = dict[tuple[str, bool], Removal]
"""By the name of the module or parameter in the model, and whether it is the output's side."""


Wanted = Mapping[str, int | Sequence[int]]
"""Layer to which channels it keeps, or how many."""


def joined(parts: Iterable[Removals]) -> Removals:
    """What goes with all of several cuts of one network."""
    found: Removals = {}
    for part in parts:
        for side, removal in part.items():
            found.setdefault(side, Removal(removal.follower)).places.update(removal.places)
    return found


def cut(surgeon: Surgeon, keep: Wanted) -> None:
    """Remove all other channels than those kept, in place; the surgeon is used up.

    Arguments and errors as :func:`removals`.
    """
    found = removals(surgeon, keep)
    with traceable(surgeon.model):
        remove(surgeon.model, found)


def remove(model: nn.Module, found: Removals) -> None:
    """Remove what was found on a network from it, or from a copy of it, in place."""
    for (name, _), removal in found.items():
        parent, _, child = name.rpartition('.')
        owner = model.get_submodule(parent)
        changed = removal.apply(getattr(owner, child))
        if isinstance(changed, nn.Parameter):
            setattr(owner, child, changed)
    settle(model)


@torch.no_grad()
def zero(surgeon: Surgeon, keep: Wanted) -> None:
    """Set all other channels than those kept to zero where they are made, in place.

    Arguments and errors as :func:`removals`. What is cut computes the same, except where a norm
    or a softmax works on several channels together.
    """
    for (name, makes), removal in removals(surgeon, keep).items():
        places, dim = sorted(removal.places), removal.follower.dependency.target.pruning_dim
        if isinstance(removal.follower.module, nn.Parameter):
            surgeon.model.get_parameter(name).index_fill_(dim, torch.tensor(places), 0)
        elif makes:
            for tensor in surgeon.model.get_submodule(name).parameters(recurse=False):
                tensor[places] = 0


def removals(surgeon: Surgeon, keep: Wanted) -> Removals:
    """What goes everywhere if layers keep some channels and no others.

    Args:
        surgeon: Of a network that was not cut yet.
        keep: Layer to which channels it keeps, or how many. Of a group one layer is enough;
            what is said of the others must agree.

    Raises:
        UserError: An unknown layer, an index out of range, a layer that cannot be cut, or layers
            that keep what does not go together.
    """
    surgeon = surgeon.thorough
    indices = _indices(surgeon, keep)
    names = {id(p): name for name, p in surgeon.model.named_parameters()}
    found: Removals = {}
    for name, kept in indices.items():
        done = found.get((surgeon.path_of(surgeon.module(name)), True))
        gone = other_indices(kept, width_of(surgeon.producer(name)))
        gone = sorted(set(gone) - (done.places if done else set()))
        for follower in followers(surgeon, name, gone) if gone else ():
            module = follower.module
            if isinstance(module, nn.Parameter):
                place = names[id(module)]
            elif surgeon.has(module):
                place = surgeon.path_of(module)
            else:
                continue
            _check_follower(surgeon, name, follower)
            removal = found.setdefault((place, follower.makes), Removal(follower))
            removal.places.update(follower.places)
    _check(surgeon, indices, found)
    return found


def _check_follower(surgeon: Surgeon, name: str, follower: Follower) -> None:
    if surgeon.has(follower.module) and (why := obstacle(surgeon, follower)):
        raise UserError(f'Layer {name} cannot be pruned: {why}.')


def _check(surgeon: Surgeon, indices: Mapping[str, Sequence[int]], found: Removals) -> None:
    """That nothing is empty, slices stay equal, and every layer keeps what it is to keep."""
    known = set(surgeon.producers())
    for (path, makes), removal in found.items():
        module, width = removal.follower.module, removal.follower.width or 0
        if isinstance(module, nn.Parameter):
            continue
        name, places = surgeon.name_of(module), removal.places
        if len(places) >= width:
            raise UserError(f'Nothing would be left of the {width} channels of {path}.')
        size = width // slices(module)
        if len({place % size for place in places}) * slices(module) != len(places):
            raise UserError(
                f'{name} works on {slices(module)} equal slices of its channels: the same places '
                'must go in all of them.'
            )
        if makes and name in known:
            kept = other_indices(sorted(places), width)
            if name in indices and tuple(kept) != indices[name]:
                raise UserError(
                    f'Layer {name} would keep other channels than the layers that it is tied to.'
                )


def _indices(surgeon: Surgeon, keep: Wanted) -> dict[str, tuple[int, ...]]:
    """Which channels layers keep; where it is said how many, the first units of each group."""
    checked = {
        name: check_kept(f'Layer {name} would keep', kept, width_of(surgeon.producer(name)))
        for name, kept in keep.items()
    }
    chosen: dict[str, tuple[int, ...]] = {}
    if any(isinstance(kept, int) for kept in checked.values()):
        for group in coupled_groups(surgeon):
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
