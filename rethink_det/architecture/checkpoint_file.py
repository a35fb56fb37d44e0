"""Reading a file of weights, whichever tool wrote it, without running code from it.

A torch file is read with ``weights_only=True``; what tools are known to pickle beside their
tensors is read as plain values (:mod:`.stand_ins`). A safetensors file holds tensors alone.
"""

import os
import pickle
import re
import zipfile
from typing import Any

import torch
from safetensors.torch import load_file
from torch.serialization import safe_globals

from rethink_det.architecture.stand_ins import STAND_INS, plain_values
from rethink_det.errors import UserError

SAFETENSORS = '.safetensors'


def load_checkpoint(path: str | os.PathLike) -> dict:
    """Read a checkpoint onto the CPU, without running code.

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
        return load_file(path) if _is_safetensors(path) else _unpickled(path)
    except Exception as error:  # on damaged bytes torch's unpickler raises just about anything
        if isinstance(error, pickle.UnpicklingError) and _needs_code(path, error):
            raise UserError(_refusal(path, error)) from None
        kind = type(error).__name__
        raise UserError(f'{path} is no checkpoint, or a damaged one ({kind}).') from None


def _is_safetensors(path: str | os.PathLike) -> bool:
    """By its name, or by its first bytes: the length of a header, and the header, a JSON object."""
    if os.fspath(path).endswith(SAFETENSORS):
        return True
    with open(path, 'rb') as file:
        first = file.read(9)
    return first[8:] == b'{' and int.from_bytes(first[:8], 'little') <= os.path.getsize(path) - 8


def _unpickled(path: str | os.PathLike) -> Any:
    """Tensors and plain values of a torch file; what is more than that by its stand-in."""
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError:
        with safe_globals([*STAND_INS]):
            return plain_values(torch.load(path, map_location='cpu', weights_only=True))


def _needs_code(path: str | os.PathLike, error: pickle.UnpicklingError) -> bool:
    """Whether this is a whole torch file, or a pickle, that holds more than tensors."""
    if zipfile.is_zipfile(path):
        return True
    with open(path, 'rb') as file:
        return file.read(1) == pickle.PROTO and 'unsupported' in str(error).lower()


def _refusal(path: str | os.PathLike, error: Exception) -> str:
    named = re.search(r'GLOBAL ([\w.]+)', str(error))
    refused = named.group(1) if named else 'an object in it'
    return (
        f'{path} needs code to load ({refused} was refused), and loading it would run that code. '
        'If you trust its source, load it once with torch.load(path, weights_only=False) and '
        'save dict(state_dict=..., meta={}) of its tensors (of a whole model: its state_dict()) '
        'again with torch.save; tools/foreign/plain_weights.py does so.'
    )
