"""How far weights fill a network, and loading them all or not at all."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rethink_det.architecture.structure_scales import MOMENTUM, SCALE
from rethink_det.errors import UserError

OPTIONAL = ('num_batches_tracked', SCALE, MOMENTUM)
"""How the names of tensors end that may be missing and keep their values.

BatchNorm's counter: torch before 0.4.1 had none, and with a fixed momentum nothing depends on it.
Scaling factors of structure (:mod:`.structure_scales`), which start at 1 whatever the weights are.
"""
_NAMED = 3
"""Tensors that a message names of each kind."""


@dataclass(frozen=True)
class Fit:
    """What of a network some weights fill.

    Attributes:
        tensors: How many the network has, those left aside that need not be given.
        missing: Names of those that are not given.
        reshaped: Of those that are given in another shape: name, shape there, shape here.
        unexpected: Names of those that are given and are none of the network's.
    """

    tensors: int
    missing: Sequence[str]
    reshaped: Sequence[tuple[str, Sequence[int], Sequence[int]]]
    unexpected: Sequence[str]

    @property
    def filled(self) -> int:
        """How many of the network's tensors are given."""
        return self.tensors - len(self.missing) - len(self.reshaped)

    @property
    def complete(self) -> bool:
        """Whether all of them are."""
        return self.filled == self.tensors

    def __str__(self) -> str:
        shapes = [f'{n} is {tuple(t)} there, {tuple(h)} here' for n, t, h in self.reshaped]
        parts = [
            f'it has {self.filled} of the {self.tensors} tensors of the model',
            _listed('of another shape: ', shapes),
            _listed('it has no ', self.missing),
            _listed('no tensors of the model are ', self.unexpected),
        ]
        return '; '.join(filter(None, parts))


def _listed(title: str, items: Sequence[str]) -> str:
    more = f' and {len(items) - _NAMED} more' if len(items) > _NAMED else ''
    return f'{title}{", ".join(items[:_NAMED])}{more}' if items else ''


def fit(network: nn.Module, state: Mapping[str, Tensor]) -> Fit:
    """Compare weights with the tensors of a network; nothing is loaded.

    Modules that rename what older versions of them called otherwise are asked.

    Args:
        network: Not changed.
        state: By the network's names.
    """
    own = network.state_dict()
    needed = [name for name in own if not name.endswith(OPTIONAL)]
    given = {name: getattr(tensor, 'shape', None) for name, tensor in state.items()}
    reshaped = [
        (name, given[name] or (), own[name].shape)
        for name in own
        if name in given and given[name] != own[name].shape
    ]
    missing = [name for name in needed if name not in given]
    unexpected = [name for name in given if name not in own]
    if missing and unexpected:
        missing, unexpected = _after_renaming(network, state, reshaped, missing, unexpected)
    return Fit(len(needed), missing, reshaped, unexpected)


def _after_renaming(
    network: nn.Module,
    state: Mapping[str, Tensor],
    reshaped: Sequence[tuple],
    missing: list[str],
    unexpected: list[str],
) -> tuple[list[str], list[str]]:
    """What is missing and left over once the modules' own hooks have renamed what they know."""
    odd = {name for name, _, _ in reshaped}
    others = OrderedDict((name, tensor) for name, tensor in state.items() if name not in odd)
    vars(others)['_metadata'] = getattr(state, '_metadata', None)  # which torch itself reads
    try:
        found = deepcopy(network).load_state_dict(others, strict=False)
    except RuntimeError:  # what they rename is of another shape
        return missing, unexpected
    left = [name for name in found.missing_keys if name in missing]
    return left, [name for name in found.unexpected_keys if name in unexpected]


def load_exactly(network: nn.Module, state: Mapping[str, Tensor], assign: bool = False) -> None:
    """Load every tensor into its place, or refuse.

    With ``assign`` the network takes the tensors themselves, as one on the meta device must.
    Only :data:`OPTIONAL` ones may be missing and keep their values.

    Raises:
        UserError: Names the first tensor that is missing, left over or of another shape.
    """
    own = network.state_dict()
    optional = {
        n: torch.zeros_like(t, device='cpu') if t.is_meta else t
        for n, t in own.items()
        if n.endswith(OPTIONAL)
    }
    state = {**optional, **state}
    _check_fits(own, state)
    extra = next((name for name in state if name not in own), None)
    if extra:
        raise UserError(f'The checkpoint is of another architecture: it has {extra} besides.')
    network.load_state_dict(state, assign=assign)


def _check_fits(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    for name, tensor in own.items():
        if name not in state:
            raise UserError(f'The checkpoint has no {name}: it is of another architecture.')
        if state[name].shape != tensor.shape:
            raise UserError(
                f'The checkpoint is of another architecture: {name} is '
                f'{tuple(state[name].shape)} there, {tuple(tensor.shape)} here.'
            )
