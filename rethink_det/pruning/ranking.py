"""Which of many values stay: the largest, a share of all, and never none of a layer."""

import warnings

import torch
from torch import Tensor

from rethink_det.errors import UserError, shown


def check_ratio(what: str, ratio: float) -> float:
    """``ratio``, if it is in [0, 1).

    Args:
        what: How a message begins, ``'MagnitudePruner: ratio'``.
        ratio: From a user, so anything.

    Raises:
        UserError: It is not.
    """
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio < 1:
        raise UserError(f'{what} must be in [0, 1), got {shown(ratio)}.')
    return ratio


def strongest(values: Tensor, count: int) -> Tensor:
    """Which values ``(N,)`` are the ``count`` largest, of equal ones the first: bool ``(N,)``."""
    order = values.argsort(descending=True, stable=True)
    kept = torch.zeros_like(values, dtype=torch.bool)
    kept[order[:count]] = True
    return kept


def top(values: Tensor, count: int) -> tuple[int, ...]:
    """Indices of the ``count`` largest values, sorted; of equal ones the first."""
    return places(strongest(values, count))


def places(kept: Tensor) -> tuple[int, ...]:
    """Where a bool tensor ``(N,)`` is true."""
    return tuple(kept.nonzero().flatten().tolist())


def largest(values: Tensor, ratio: float, strictly_above: bool = False) -> Tensor:
    """Which values stay when the smallest ``int(N * ratio)`` go: a bool tensor.

    Args:
        values: ``(N,)``.
        ratio: Share to remove, in [0, 1).
        strictly_above: Instead, keep what is strictly above entry number ``int(N * ratio)``
            of the sorted values: one more goes, and all equals of it. Nothing goes at 0.
    """
    count = int(len(values) * ratio)
    if not count:
        return torch.ones_like(values, dtype=torch.bool)
    if strictly_above:
        return values > values.sort().values[count]
    return strongest(values, len(values) - count)


def never_fewer(
    kept: Tensor, values: Tensor, fewest: int, claim: str, parts: str = 'channels'
) -> Tensor:
    """``kept`` and, if those are fewer than ``fewest``, the largest of a layer's values besides.

    Args:
        kept: Which of the layer's N parts stay so far: bool ``(N,)``.
        values: What they are ranked by ``(N,)``; those that stay are the largest.
        fewest: How many a layer keeps at least; all of it if it has no more.
        claim: As :func:`fewest_count`.
        parts: What the parts are.
    """
    left = int(kept.sum())
    count = fewest_count(left, len(kept), fewest, claim, parts)
    return kept if count == left else kept | strongest(values, count)


def fewest_count(left: int, width: int, fewest: int, claim: str, parts: str = 'channels') -> int:
    """``left`` or, with a warning, the ``fewest`` parts that a layer of ``width`` parts keeps.

    Args:
        left: How many the method would leave.
        width: How many the layer has.
        fewest: How many it keeps at least; all if it has no more.
        claim: How the warning begins, ``'The threshold would leave conv1'``.
        parts: What the parts are.
    """
    floor = min(fewest, width)
    if left >= floor:
        return left
    warnings.warn(f'{claim} {left} of its {width} {parts}; it keeps {floor}.', stacklevel=3)
    return floor
