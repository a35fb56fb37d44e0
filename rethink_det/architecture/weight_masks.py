"""Weight masks: which single weights of a network are kept.

A mask is a value beside the weights, not hidden in them: "the weight is not zero" cannot tell
a removed weight from one that happens to be zero. In a checkpoint, masks are packed, eight
weights a byte.

Source: arXiv 1506.02626, section 3 (weights are removed for good, the others trained on).
"""

import hashlib
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rethink_det.bounds import is_int
from rethink_det.errors import UserError, shown

WeightMasks = Mapping[str, Tensor]
"""Name of a parameter (``backbone.conv1.weight``) to a bool tensor of its shape, True = kept."""


def pack(masks: WeightMasks) -> dict[str, dict[str, Any]]:
    """Masks as tensors and plain values, ``ceil(weights / 8)`` bytes each.

    Returns:
        Name to ``dict(shape=[...], bits=uint8 tensor)``, on the CPU; bits in the order of the
        weights, the first in the highest bit, the last byte filled up with zeros.
    """
    return {
        name: {'shape': list(mask.shape), 'bits': torch.from_numpy(_bits(mask))}
        for name, mask in masks.items()
    }


def unpack(packed: Mapping[str, Mapping[str, Any]]) -> dict[str, Tensor]:
    """Inverse of :func:`pack`; on the CPU.

    Raises:
        UserError: This is not what :func:`pack` returns; names the parameter.
    """
    if not isinstance(packed, Mapping):
        raise UserError(f'Packed masks are a dict by parameter, not a {type(packed).__name__}.')
    return {name: _unpacked(name, mask) for name, mask in packed.items()}


def _bits(mask: Tensor) -> np.ndarray:
    return np.packbits(mask.detach().cpu().flatten().numpy().astype(bool))


def _unpacked(name: str, packed: Mapping[str, Any]) -> Tensor:
    if not isinstance(packed, Mapping) or not {'shape', 'bits'} <= set(packed):
        raise UserError(f"The mask of {name} is damaged: it needs a 'shape' and 'bits'.")
    shape, bits = packed['shape'], packed['bits']
    listed = isinstance(shape, (list, tuple))
    if not listed or not all(is_int(size) and size >= 0 for size in shape):
        raise UserError(f'The mask of {name} is damaged: its shape is {shown(shape)}.')
    size = prod(shape)
    if not isinstance(bits, Tensor) or bits.dtype != torch.uint8:
        raise UserError(f'The mask of {name} is damaged: its bits are no tensor of bytes.')
    if bits.shape != (-(-size // 8),):
        raise UserError(
            f'The mask of {name} is damaged: {size} weights need {-(-size // 8)} bytes, it has '
            f'{tuple(bits.shape)}.'
        )
    mask = np.unpackbits(bits.cpu().numpy(), count=size).astype(bool)
    return torch.from_numpy(mask).reshape(tuple(shape))


def digest(masks: WeightMasks) -> str:
    """SHA-256 over names, shapes and bits; 16 hex digits."""
    sha = hashlib.sha256()
    for name in sorted(masks):
        sha.update(f'{name}:{tuple(masks[name].shape)};'.encode())
        sha.update(_bits(masks[name]).tobytes())
    return sha.hexdigest()[:16]


def weights_kept(masks: WeightMasks) -> dict[str, int]:
    """How many weights each mask keeps."""
    return {name: int(mask.sum()) for name, mask in masks.items()}


def describe(masks: WeightMasks) -> dict[str, Any]:
    """What an architecture says of its masks: ``dict(digest=..., kept={parameter: count})``."""
    return {'digest': digest(masks), 'kept': weights_kept(masks)}


def check_fit(target: nn.Module | Mapping[str, Tensor], masks: WeightMasks) -> None:
    """Refuse masks of another network.

    Raises:
        UserError: Names the first parameter that ``target`` has not, or in another shape.
    """
    tensors = _tensors(target)
    for name, mask in masks.items():
        if name not in tensors:
            raise UserError(f'The masks are of another network: it has no parameter {name}.')
        if tensors[name].shape != mask.shape:
            raise UserError(
                f'The masks are of another network: {name} is {tuple(mask.shape)} there, '
                f'{tuple(tensors[name].shape)} here.'
            )


@torch.no_grad()
def apply(target: nn.Module | Mapping[str, Tensor], masks: WeightMasks) -> None:
    """Set removed weights to exactly 0, in place.

    Args:
        target: A model, or a state dict, whose tensors are changed.
        masks: Checked as a whole before anything is changed.

    Raises:
        UserError: As :func:`check_fit`.
    """
    check_fit(target, masks)
    tensors = _tensors(target)
    for name, mask in masks.items():
        tensors[name].masked_fill_(~mask.to(tensors[name].device), 0)


def _tensors(target: nn.Module | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return dict(target.named_parameters()) if isinstance(target, nn.Module) else target
