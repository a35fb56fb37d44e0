"""What the fields of an architecture may hold."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from rethink_det.architecture.channel_indices import check_indices, check_kept
from rethink_det.architecture.frozen import freeze
from rethink_det.architecture.network import RUNTIME_KEYS
from rethink_det.bounds import is_int
from rethink_det.errors import UserError, shown
from rethink_det.files import plain

MAPPINGS = ('backbone', 'head', 'channels', 'selections', 'masks')
TEXTS = ('name', 'source')
LARGEST_IMAGE = 2**27
"""Values of the largest input that a network is run on, 6,600 x 6,600 pixels of three channels."""


def normal(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an architecture in the one form they are compared in, unchangeable.

    Raises:
        UserError: A field is of another type, or keeps an impossible number of channels.
    """
    for key in MAPPINGS:
        if not isinstance(fields[key], Mapping):
            raise UserError(f'{key} must be a dict, got {shown(fields[key])}.')
    for key in TEXTS:
        if not isinstance(fields[key], str):
            raise UserError(f'{key} must be a text, got {shown(fields[key])}.')
        if not fields[key].isprintable():
            raise UserError(f'{key} must be a text of one line, got {shown(fields[key])}.')
    if not isinstance(fields['coupled'], bool):
        raise UserError(f'coupled must be true or false, got {shown(fields["coupled"])}.')
    kept, read = fields['channels'], fields['selections']
    values = {
        'backbone': plain({k: v for k, v in fields['backbone'].items() if k not in RUNTIME_KEYS}),
        'head': plain(fields['head']),
        'input_shape': input_shape(fields['input_shape']),
        'channels': {n: check_kept(f'layer {n} would keep', kept[n]) for n in kept},
        'selections': {n: check_indices(f'layer {n} would read', read[n]) for n in read},
        'removed_blocks': block_names(fields['removed_blocks']),
        'masks': mask_description(fields['masks']),
        'coupled': fields['coupled'],
    }
    return {key: freeze(value) for key, value in values.items()}


def input_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """``(channels, height, width)``, or :class:`UserError`."""
    listed = isinstance(shape, (list, tuple)) and len(shape) == 3
    if not listed or not all(is_int(size) and size > 0 for size in shape):
        raise UserError(f'input_shape must be (channels, height, width), got {shown(shape)}.')
    if prod(shape) > LARGEST_IMAGE:
        raise UserError(f'input_shape {tuple(shape)} has more than {LARGEST_IMAGE:,} values.')
    channels, height, width = shape
    return channels, height, width


def block_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of residual blocks, or :class:`UserError`."""
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
        raise UserError(f'removed_blocks must be a list of names, got {shown(names)}.')
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f'removed_blocks names {twice} twice.')
    return tuple(names)


def mask_description(masks: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing, or digest and counts of weight masks, or :class:`UserError`."""
    if masks and set(masks) != {'digest', 'kept'}:
        raise UserError(f'masks must have the keys digest and kept, got {sorted(masks)}.')
    if masks and not isinstance(masks['kept'], Mapping):
        raise UserError(f'masks: kept must be a dict by parameter, got {shown(masks["kept"])}.')
    if masks and not isinstance(masks['digest'], str):
        raise UserError(f'masks: digest must be a text, got {shown(masks["digest"])}.')
    for name, count in masks.get('kept', {}).items():
        if not is_int(count) or count < 0:
            raise UserError(f'masks: of {name} must be said how many are kept, got {shown(count)}.')
    return plain(masks)
