"""Numbers that a user gives: whole or finite, within their bounds, or refused by name."""

from math import inf, isfinite
from typing import TypeGuard

from rethink_det.errors import UserError


def is_int(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_count(what: str, value: object, least: int = 1) -> int:
    """``value``, if it is a whole number of at least ``least``.

    Args:
        what: How a message begins, ``'L1NormPruner: min_channels'``.
        value: From a user, so anything.
        least: The smallest that makes sense.

    Raises:
        UserError: It is something else.
    """
    if not is_int(value) or value < least:
        raise UserError(f'{what} must be a whole number of at least {least}, got {value!r}.')
    return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_number(what: str, value: object, least: float = -inf) -> float:
    """``value``, if it is a finite number of at least ``least``.

    Args:
        what: How a message begins, ``'SparsityHook: scale'``.
        value: From a user, so anything.
        least: The smallest that makes sense.

    Raises:
        UserError: It is something else; that it is NaN, too, which no comparison tells.
    """
    if not _is_number(value) or not isfinite(value) or value < least:
        bound = '' if least == -inf else f' of at least {least:g}'
        raise UserError(f'{what} must be a finite number{bound}, got {value!r}.')
    return value
