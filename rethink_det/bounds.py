"""Numbers and names that a user gives: within their bounds, or refused by name."""

import os
import re
from math import inf, isfinite
from typing import TypeGuard

from rethink_det.errors import UserError, shown

MOST_SEED = 2**32 - 1
"""NumPy takes no larger one."""
MOST_EPOCHS = 1_000_000
MOST_TIMES = 10_000
"""Of a schedule."""


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
    if not is_finite(value) or not is_int(value) or value < least:
        raise UserError(f'{what} must be a whole number of at least {least}, got {shown(value)}.')
    return value


def is_finite(value: object) -> TypeGuard[float]:
    """Whether a value is a number, no truth value, that a float holds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return isfinite(value)
    except OverflowError:  # a whole number of more than 308 digits
        return False


def check_number(what: str, value: object, least: float = -inf) -> float:
    """``value``, if it is a finite number of at least ``least``.

    Args:
        what: How a message begins, ``'SparsityHook: scale'``.
        value: From a user, so anything.
        least: The smallest that makes sense.

    Raises:
        UserError: It is something else; that it is NaN, too, which no comparison tells.
    """
    if not is_finite(value) or value < least:
        bound = '' if least == -inf else f' of at least {least:g}'
        raise UserError(f'{what} must be a finite number{bound}, got {shown(value)}.')
    return value


_WORD = re.compile(r'(?!\.+$)[\w.-]+')
_LONGEST_NAME = 100


def check_folder_name(what: str, name: str) -> str:
    """``name``, if a folder of a work dir can be called so.

    Args:
        what: How a message begins, ``'study.detection: the name'``.
        name: From a user.

    Raises:
        UserError: It has other characters, or too many.
    """
    if not _WORD.fullmatch(name) or len(os.fsencode(name)) > _LONGEST_NAME:
        raise UserError(
            f'{what} becomes a folder, and {shown(name)} can be none: letters, digits, -, . and _, '
            f'{_LONGEST_NAME} at most.'
        )
    return name
