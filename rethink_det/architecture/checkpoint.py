"""Checkpoints: read without running code, written atomically, known by their digest.

The format is MMEngine's, ``dict(meta=..., state_dict=...)``, with tensors and plain values
only. ``meta['architecture']`` rebuilds the network, ``meta['provenance']`` says where the
weights come from.
"""

import hashlib
import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture.scales import MOMENTUM, SCALE, fold_scales
from rethink_det.errors import UserError
from rethink_det.files import replacing
from rethink_det.layout import INITIAL

WEIGHTS = 'state_dict'
TICKET = 'initial'
"""Keys of a checkpoint: the weights, and the lottery ticket of a pruned one, which is the
weights that the parent started from, pruned alike."""


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


def state_dict_of(
    checkpoint: Mapping, path: str | os.PathLike = 'checkpoint', key: str = WEIGHTS
) -> dict:
    """The tensors of a checkpoint, under the names of :class:`~.network.Network`.

    Understands a bare state dict, ``dict(state_dict=...)``, a leading ``module.`` left by
    ``DataParallel``, and ``fc.``, ``linear.`` or ``classifier.`` for the head of a plain
    classifier. Scaling factors of structure (:mod:`.scales`) are folded into the weights.

    Args:
        checkpoint: What :func:`load_checkpoint` read.
        path: Its file, for messages.
        key: ``'state_dict'``, or ``'initial'`` for the lottery ticket.

    Raises:
        UserError: If there is no tensor in it, or no ticket.
    """
    if key != WEIGHTS and key not in checkpoint:
        raise UserError(
            f'{path} has no lottery ticket: prune a checkpoint that has the {INITIAL} of its '
            'training beside it, or name that file by --initial.'
        )
    state = checkpoint.get(key, checkpoint)
    items = state.items() if isinstance(state, Mapping) else ()
    tensors = {name.removeprefix('module.'): t for name, t in items if isinstance(t, Tensor)}
    if not tensors:
        raise UserError(f"{path} holds no tensors: expected a 'state_dict'.")
    tensors, _ = fold_scales(tensors)
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
    factors of structure (:mod:`.scales`), which start at 1 whatever the weights are.

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
