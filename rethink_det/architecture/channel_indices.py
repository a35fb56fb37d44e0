"""How many channels a layer keeps, or which: the checks of both.

Which may be written as a text of ranges, ``'0-3,5,7-12'``: in a config, lists would be thousands of
lines.
"""

import re
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import TypeGuard

from rethink_det.bounds import is_int
from rethink_det.errors import UserError, shown

Kept = int | tuple[int, ...]
"""How many channels a layer keeps, or which."""
_INDEX = r'(0|[1-9]\d{0,5})'
_RANGES = re.compile(f'(?=.*[-,]){_INDEX}(-{_INDEX})?(,{_INDEX}(-{_INDEX})?)*')
"""Indices as a text; of six digits and rising, so that a short text cannot ask for all memory.

``'3'`` is none, which might as well be a count: one index alone is ``'3-3'``.
"""


def check_kept(claim: str, kept: object, width: int | None = None) -> Kept:
    """``kept`` if it is a count of at least 1, or what :func:`check_indices` makes of it.

    Args:
        claim: How a message begins, ``'layer conv1 would keep'``.
        kept: From a user, so anything.
        width: How many channels there are, if that is known.

    Raises:
        UserError: It is neither, or too many.
    """
    kept = _from_ranges(kept)
    if not is_int(kept):
        if not _are_indices(kept):
            raise UserError(f'{claim} {shown(kept)}; valid are a count or a list of indices.')
        return check_indices(claim, kept, width)
    if kept < 1:
        raise UserError(f'{claim} {kept} channels; at least 1 must remain.')
    if width is not None and kept > width:
        raise UserError(f'{claim} {kept} channels; valid are 1 to {width}.')
    return kept


def check_indices(claim: str, kept: object, width: int | None = None) -> tuple[int, ...]:
    """``kept`` as a tuple if it is a list of sorted, different indices, at least one.

    Arguments as :func:`check_kept`.

    Raises:
        UserError: It does not, or one is not within the width.
    """
    kept = _from_ranges(kept)
    if not _are_indices(kept):
        raise UserError(f'{claim} {shown(kept)}; valid is a list of indices.')
    if not kept:
        raise UserError(f'{claim} no channel; at least 1 must remain.')
    if list(kept) != sorted(set(kept)):
        raise UserError(f'{claim} channels {list(kept)}; they must be sorted and different.')
    if kept[0] < 0 or (width is not None and kept[-1] >= width):
        stranger = kept[0] if kept[0] < 0 else kept[-1]
        valid = 'not negative' if width is None else f'0 to {width - 1}'
        raise UserError(f'{claim} channel {stranger}; valid are {valid}.')
    return tuple(kept)


def as_ranges(kept: Sequence[int]) -> str:
    """Sorted indices as a text, ``'0-3,5'``: what the checks above read, too."""
    starts = [i for n, i in enumerate(kept) if n == 0 or kept[n - 1] != i - 1]
    ends = [i for n, i in enumerate(kept) if n + 1 == len(kept) or kept[n + 1] != i + 1]
    pairs = zip(starts, ends, strict=True)
    return ','.join(str(a) if a == b and len(kept) > 1 else f'{a}-{b}' for a, b in pairs)


def _from_ranges(kept: object) -> object:
    """The indices of a text of rising ranges; anything else as it is."""
    if not isinstance(kept, str) or not _RANGES.fullmatch(kept):
        return kept
    ends = [part.partition('-') for part in kept.split(',')]
    ranges = [range(int(first), int(last or first) + 1) for first, _, last in ends]
    rising = all(one.stop <= other.start for one, other in pairwise(ranges))
    return tuple(chain(*ranges)) if rising else kept


def count_of(kept: int | Sequence[int]) -> int:
    """How many channels a layer keeps."""
    return kept if isinstance(kept, int) else len(kept)


def first_of(kept: Kept) -> tuple[int, ...]:
    """Which channels a layer keeps; where it is said how many, the first."""
    return tuple(range(kept)) if isinstance(kept, int) else kept


def other_indices(kept: Sequence[int], width: int) -> list[int]:
    """The indices of ``width`` channels that are not kept, sorted."""
    return sorted(set(range(width)) - set(kept))


def _are_indices(value: object) -> TypeGuard[Sequence[int]]:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        return False
    return all(is_int(index) for index in value)
