"""What the fields of an architecture may hold."""

from collections.abc import Mapping, Sequence

from rethink_det.errors import UserError
from rethink_det.files import plain

Kept = int | tuple[int, ...]
"""How many channels a layer keeps, or which."""


def input_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """``(channels, height, width)``, or :class:`UserError`."""
    listed = isinstance(shape, (list, tuple)) and len(shape) == 3
    if not listed or not all(isinstance(n, int) and n > 0 for n in shape):
        raise UserError(f'input_shape must be (channels, height, width), got {shape!r}.')
    return tuple(shape)


def kept(layer: str, kept: Kept | Sequence[int]) -> Kept:
    """A count of at least 1 or sorted indices, or :class:`UserError`; names the layer."""
    if is_int(kept):
        if kept < 1:
            raise UserError(f'layer {layer} would keep {kept} channels; at least 1 must remain.')
        return kept
    return indices(layer, kept)


def indices(layer: str, kept: Sequence[int]) -> tuple[int, ...]:
    """Sorted, different, not negative indices, or :class:`UserError`; names the layer."""
    if not isinstance(kept, (list, tuple)) or not all(is_int(i) for i in kept):
        raise UserError(f'layer {layer}: kept must be a count or a list of indices, got {kept!r}.')
    if not kept or list(kept) != sorted(set(kept)) or kept[0] < 0:
        raise UserError(
            f'layer {layer}: kept indices must be sorted, different, at least one and not '
            f'negative, got {list(kept)}.'
        )
    return tuple(kept)


def check_range(claim: str, kept: Kept, width: int) -> None:
    """Refuse what goes beyond ``width`` channels by :class:`UserError`."""
    if isinstance(kept, int) and kept > width:
        raise UserError(f'{claim} {kept} channels; valid are 1 to {width}.')
    if not isinstance(kept, int) and kept[-1] >= width:
        raise UserError(f'{claim} channel {kept[-1]}; valid are 0 to {width - 1}.')


def masks(masks: Mapping) -> dict:
    """Nothing, or digest and counts of weight masks, or :class:`UserError`."""
    if masks and set(masks) != {'digest', 'kept'}:
        raise UserError(f'masks must have the keys digest and kept, got {sorted(masks)}.')
    return plain(masks)


def is_int(value: object) -> bool:
    """Whether a value is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)
