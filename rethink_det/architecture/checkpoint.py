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

This module alone knows these keys. Files are read without running code, written atomically, and
their tensors known by a digest.
"""

import hashlib
import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture import weight_masks
from rethink_det.architecture.finite import check_finite
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.provenance import Parent, Provenance, file_name
from rethink_det.architecture.structure_scales import MOMENTUM, SCALE, fold_scales
from rethink_det.errors import UserError
from rethink_det.files import replacing
from rethink_det.layout import INITIAL

META = 'meta'
"""Where MMEngine has what is neither weights nor the state of the training."""
WEIGHTS, TICKET, MASKS = 'state_dict', 'initial', 'masks'
ARCHITECTURE, CONVENTION, PROVENANCE = 'architecture', 'input_convention', 'provenance'
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

    @classmethod
    def read(cls, path: str | os.PathLike) -> 'Checkpoint':
        """Read a file onto the CPU with ``weights_only=True``.

        It may be another tool's: a bare state dict, or a checkpoint of MMEngine.

        Raises:
            UserError: The file is missing, damaged, or a pickle that needs code to load, says
                something of itself that makes no sense, or has a weight that is not finite.
        """
        read = cls.from_dict(load_checkpoint(path), path)
        check_finite(read.state_dict, path)
        return read

    @classmethod
    def from_dict(
        cls, content: Mapping[str, Any], path: str | os.PathLike = 'checkpoint'
    ) -> 'Checkpoint':
        """The same of a dict that was read, or is about to be written.

        Args:
            content: A state dict, or one under the key ``state_dict``; it is not copied.
            path: Its file, for messages.

        Raises:
            UserError: An entry of this package makes no sense.
        """
        bare = WEIGHTS not in content
        state = _tensors(content) if bare else content[WEIGHTS]
        meta = content.get(META) or {}
        if not isinstance(meta, Mapping):
            raise UserError(f'{path}: {META} is a {type(meta).__name__}, expected a dict.')
        own = {ARCHITECTURE, CONVENTION, PROVENANCE}
        others = {k: v for k, v in content.items() if k not in _OWN and not (bare and k in state)}
        if META in content:
            others[META] = {key: value for key, value in meta.items() if key not in own}
        return cls(
            state_dict=state if isinstance(state, Mapping) else {},
            architecture=meta.get(ARCHITECTURE),
            provenance=Provenance.from_dict(meta.get(PROVENANCE), path),
            input_convention=InputConvention.from_dict(meta.get(CONVENTION), path),
            masks=_unpacked(content.get(MASKS), path),
            initial=content.get(TICKET),
            others=others,
            path=os.fspath(path),
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
        """The weights under the names of :class:`~.network.Network`, see :func:`own_names`.

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
        tensors = _tensors(state)
        if not tensors:
            raise UserError(f"{self.path} holds no tensors: expected a 'state_dict'.")
        return own_names(tensors)


def _mapping(value: Any) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _tensors(state: Any) -> dict[str, Tensor]:
    items = _mapping(state).items()
    return {k: v for k, v in items if isinstance(k, str) and isinstance(v, Tensor)}


def _unpacked(packed: Mapping | None, path: str | os.PathLike) -> dict[str, Tensor]:
    try:
        return weight_masks.unpack(packed or {})
    except UserError as error:
        raise UserError(f'{path}: {error}') from None


def describes_itself(content: Mapping[str, Any]) -> bool:
    """Whether what :func:`load_checkpoint` read says what its network is."""
    return ARCHITECTURE in _mapping(content.get(META))


def load_checkpoint(path: str | os.PathLike) -> dict:
    """Read a checkpoint onto the CPU with ``weights_only=True``.

    Raises:
        UserError: The file is missing, damaged, or a pickle that needs code to load.
    """
    checkpoint = load_plain(path)
    if not isinstance(checkpoint, dict):
        raise UserError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint.')
    return checkpoint


def load_plain(path: str | os.PathLike) -> Any:
    """Read tensors and plain values of any form; as :func:`load_checkpoint`."""
    if not os.path.isfile(path):
        raise UserError(f'Checkpoint {path} does not exist.')
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # on damaged bytes torch's unpickler raises just about anything
        if isinstance(error, pickle.UnpicklingError) and _needs_code(path, error):
            raise UserError(_refusal(path, error)) from None
        kind = type(error).__name__
        raise UserError(f'{path} is no checkpoint, or a damaged one ({kind}).') from None


def _needs_code(path: str | os.PathLike, error: pickle.UnpicklingError) -> bool:
    """Whether this is a whole torch file, or a pickle, that holds more than tensors."""
    if zipfile.is_zipfile(path):
        return True
    with open(path, 'rb') as file:
        return file.read(1) == pickle.PROTO and 'Unsupported' in str(error)


def _refusal(path: str | os.PathLike, error: Exception) -> str:
    named = re.search(r'GLOBAL ([\w.]+)', str(error))
    refused = named.group(1) if named else 'an object in it'
    return (
        f'{path} needs code to load ({refused} was refused), and loading it would run that code. '
        'If you trust its source, load it once with torch.load(path, weights_only=False) and '
        'save dict(state_dict=..., meta={}) of its tensors (of a whole model: its state_dict()) '
        'again with torch.save.'
    )


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a checkpoint under the names of :class:`~.network.Network`.

    Understands a leading ``module.`` left by ``DataParallel``, and ``fc.``, ``linear.`` or
    ``classifier.`` for the head of a plain classifier. Scaling factors of structure
    (:mod:`.structure_scales`) are folded into the weights.
    """
    tensors, _ = fold_scales({n.removeprefix('module.'): t for n, t in state.items()})
    if any(name.startswith('backbone.') for name in tensors):
        return tensors
    return {_network_name(name): value for name, value in tensors.items()}


def _network_name(name: str) -> str:
    layer, _, rest = name.partition('.')
    if layer in ('fc', 'linear'):
        return f'head.fc.{rest}'
    return f'head.{name}' if layer == 'classifier' else f'backbone.{name}'


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


def load_exactly(network: nn.Module, state: Mapping[str, Tensor], assign: bool = False) -> None:
    """Load every tensor into its place, or refuse.

    With ``assign`` the network takes the tensors themselves, as one on the meta device must.
    Only two kinds may be missing and keep their values. BatchNorm's ``num_batches_tracked``:
    torch before 0.4.1 had none, and with a fixed momentum nothing depends on it. And scaling
    factors of structure (:mod:`.structure_scales`), which start at 1 whatever the weights are.

    Raises:
        UserError: Names the first tensor that is missing, left over or of another shape.
    """
    own = network.state_dict()
    optional = {
        n: torch.zeros_like(t, device='cpu') if t.is_meta else t
        for n, t in own.items()
        if n.endswith(('num_batches_tracked', SCALE, MOMENTUM))
    }
    state = {**optional, **state}
    check_fits(network, state)
    extra = next((name for name in state if name not in own), None)
    if extra:
        raise UserError(f'The checkpoint is of another architecture: it has {extra} besides.')
    network.load_state_dict(state, assign=assign)


def check_fits(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Refuse a state dict that cannot fill the network.

    Raises:
        UserError: Names the first tensor that is missing or of another shape.
    """
    for name, tensor in network.state_dict().items():
        if name not in state:
            raise UserError(f'The checkpoint has no {name}: it is of another architecture.')
        if state[name].shape != tensor.shape:
            raise UserError(
                f'The checkpoint is of another architecture: {name} is '
                f'{tuple(state[name].shape)} there, {tuple(tensor.shape)} here.'
            )
