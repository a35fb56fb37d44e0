"""Checkpoints: what a network is, what it knows and where that comes from, in one file.

The format is MMEngine's, ``dict(meta=..., state_dict=...)``, with tensors and plain values only:

========================  ===================================================================
``state_dict``            the weights
``masks``                 weight masks, packed (:mod:`.weight_masks`); only where there are any
``initial``               the lottery ticket of a pruned network: the weights that its parent
                          started from, pruned alike; only where they are known
``meta.architecture``     rebuilds the network
``meta.provenance``       where the weights come from (:mod:`.provenance`)
``meta.input_convention`` how images are normalised (:mod:`.input_convention`)
========================  ===================================================================

This module alone knows these keys. Files are read without running code
(:mod:`.checkpoint_file`), written atomically, and their tensors known by a digest.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from rethink_det.architecture import weight_masks
from rethink_det.architecture.checkpoint_file import load_checkpoint
from rethink_det.architecture.finite import check_finite
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.provenance import Parent, Provenance, file_name
from rethink_det.architecture.state_dicts import (
    META,
    no_tensors,
    own_names,
    state_in,
    tensors_in,
    unwrapped,
)
from rethink_det.errors import UserError
from rethink_det.files import replacing
from rethink_det.layout import INITIAL

WEIGHTS, TICKET, MASKS = 'state_dict', 'initial', 'masks'
ARCHITECTURE, CONVENTION, PROVENANCE = 'architecture', 'input_convention', 'provenance'
DATA_SET = 'dataset_meta'
"""What MMEngine notes of the training data in ``meta``, class names among it."""
_OWN = {WEIGHTS, TICKET, MASKS, META}


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """The content of a checkpoint.

    A writer says of everything that every file of this package says what it is, None included.

    Attributes:
        state_dict: The weights under the names that they have in the file.
        architecture: What the network is, as of ``PrunedArchitecture.to_dict``. It is not built
            from here: whoever wants the weights alone does not pay for it.
        provenance: Where the weights come from.
        input_convention: How images are normalised; None if they are not, or it is not known.
        masks: Weight masks by parameter name; empty for a dense network.
        initial: The weights of the lottery ticket.
        others: What else is in the file, which is MMEngine's, ``optimizer`` or the epoch in
            ``meta``; written back as it is.
        path: The file, for messages.
        ema: Whether the weights are those of it that were averaged over the training.

    Example:
        >>> from rethink_det import Checkpoint, PrunedArchitecture
        >>> checkpoint = Checkpoint.read('trained.pth')
        >>> network = PrunedArchitecture.load(checkpoint).network_with(checkpoint.weights)
        >>> checkpoint.write('copy.pth')
        >>> Checkpoint.read('copy.pth').digest == checkpoint.digest
        True
    """

    state_dict: Mapping[str, Tensor]
    architecture: Mapping[str, Any] | None
    provenance: Provenance
    input_convention: InputConvention | None
    masks: weight_masks.WeightMasks = field(default_factory=dict)
    initial: Mapping[str, Tensor] | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    path: str = 'checkpoint'
    ema: bool = False

    @classmethod
    def read(cls, path: str | os.PathLike, ema: bool = False) -> 'Checkpoint':
        """Read a file onto the CPU without running code from it.

        It may be another tool's: a state dict, bare or wrapped (:mod:`.state_dicts`), or a
        safetensors file.

        Args:
            path: The file.
            ema: Take the weights that were averaged over the training.

        Raises:
            UserError: The file is missing, damaged, or a pickle that needs code to load, says
                something of itself that makes no sense, has no averaged weights, or has a weight
                that is not finite.
        """
        read = cls.from_dict(load_checkpoint(path), path, ema)
        check_finite(read.state_dict, path)
        return read

    @classmethod
    def from_dict(
        cls,
        content: Mapping[str, Any],
        path: str | os.PathLike = 'checkpoint',
        ema: bool = False,
    ) -> 'Checkpoint':
        """The same of a dict that was read, or is about to be written.

        Args:
            content: A state dict, bare or under a key of :data:`.state_dicts.WRAPPERS`; it is
                not copied.
            path: Its file, for messages.
            ema: As of :meth:`read`.

        Raises:
            UserError: As of :meth:`read`.
        """
        state, keys = state_in(content, path, ema)
        state = unwrapped(state if keys else tensors_in(state), path)
        meta = content.get(META) or {}
        if not isinstance(meta, Mapping):
            raise UserError(f'{path}: {META} is a {type(meta).__name__}, expected a dict.')
        own = {ARCHITECTURE, CONVENTION, PROVENANCE}
        taken = {*_OWN, *keys[:1], *(() if keys else tensors_in(content))}
        others = {k: v for k, v in content.items() if k not in taken}
        if META in content:
            others[META] = {key: value for key, value in meta.items() if key not in own}
        return cls(
            state_dict=state,
            architecture=meta.get(ARCHITECTURE),
            provenance=Provenance.from_dict(meta.get(PROVENANCE), path),
            input_convention=InputConvention.from_dict(meta.get(CONVENTION), path),
            masks=_unpacked(content.get(MASKS), path),
            initial=content.get(TICKET),
            others=others,
            path=os.fspath(path),
            ema=ema,
        )

    def to_dict(self) -> dict[str, Any]:
        """What a file holds, the inverse of :meth:`from_dict`."""
        described = {
            ARCHITECTURE: self.architecture,
            CONVENTION: self.input_convention and self.input_convention.to_dict(),
            PROVENANCE: self.provenance.to_dict(),
        }
        meta = {key: value for key, value in described.items() if value is not None}
        content = {
            **self.others,
            META: {**_mapping(self.others.get(META)), **meta},
            WEIGHTS: self.state_dict,
        }
        if self.masks:
            content[MASKS] = weight_masks.pack(self.masks)
        if self.initial is not None:
            content[TICKET] = self.initial
        return content

    def write(self, path: str | os.PathLike) -> None:
        """Write the file, whole or not at all; folders are made.

        Raises:
            UserError: A weight is not finite.
        """
        check_finite(self.state_dict, path)
        with replacing(path) as file:
            torch.save(self.to_dict(), file)

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The weights under the names of :class:`~.network.Network`.

        See :func:`~.state_dicts.own_names`.

        Raises:
            UserError: There is no tensor in it.
        """
        return self._named(self.state_dict)

    @cached_property
    def ticket(self) -> dict[str, Tensor]:
        """Likewise the weights of the lottery ticket.

        Raises:
            UserError: It has none.
        """
        if self.initial is None:
            raise UserError(
                f'{self.path} has no lottery ticket: prune a checkpoint that has the {INITIAL} '
                'of its training beside it, or name that file by --initial.'
            )
        return self._named(self.initial)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of the training data; empty if they are not known."""
        noted = _mapping(_mapping(self.others.get(META)).get(DATA_SET)).get('classes') or ()
        names = (noted,) if isinstance(noted, str) else noted
        return tuple(names) if all(isinstance(name, str) for name in names) else ()

    @property
    def digest(self) -> str:
        """Of all tensors: weights, masks, ticket; 16 hex digits."""
        tensors = {**self.state_dict, **{f'{MASKS}.{n}': m for n, m in self.masks.items()}}
        return digest(tensors | {f'{TICKET}.{n}': t for n, t in (self.initial or {}).items()})

    def as_parent(self, taken: Mapping[str, Tensor] | None = None) -> Parent:
        """What a network says that was made from this one.

        Args:
            taken: The tensors that it took; default: all :attr:`weights`.
        """
        taken = self.weights if taken is None else taken
        return Parent(file_name(self.path), self.provenance.arm, digest(taken), len(taken))

    def _named(self, state: Mapping[str, Any]) -> dict[str, Tensor]:
        tensors = tensors_in(state)
        if not tensors:
            raise UserError(no_tensors(self.path))
        return own_names(tensors)


def _mapping(value: Any) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _unpacked(packed: Mapping | None, path: str | os.PathLike) -> dict[str, Tensor]:
    try:
        return weight_masks.unpack(packed or {})
    except UserError as error:
        raise UserError(f'{path}: {error}') from None


def describes_itself(content: Mapping[str, Any]) -> bool:
    """Whether what :func:`load_checkpoint` read says what its network is."""
    return ARCHITECTURE in _mapping(content.get(META))


def save_checkpoint(checkpoint: Mapping, path: str | os.PathLike) -> None:
    """Write a checkpoint atomically."""
    with replacing(path) as file:
        torch.save(dict(checkpoint), file)


def digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, shapes, types and bytes of the tensors; 16 hex digits."""
    sha = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        sha.update(f'{name}:{tensor.dtype}:{tuple(tensor.shape)};'.encode())
        sha.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return sha.hexdigest()[:16]
