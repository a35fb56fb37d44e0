"""What a check of this machine answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ability:
    """Something a user may want to do here."""

    what: str
    """What it is, in words."""
    works: bool
    """Whether it works here."""
    remedy: str = ''
    """What to do where it does not work."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    facts: dict[str, Any] = field(default_factory=dict)
    """Plain values by name, for the page and for ``--json``."""
    abilities: tuple[Ability, ...] = ()
    """What follows from them."""
    essential_missing: bool = False
    """Nothing of this package works without."""


def carefully(name: str, check: Callable[[], Finding]) -> Finding:
    """What ``check`` finds, or that it failed and how: an examination never ends early."""
    try:
        return check()
    except Exception as error:  # whatever is broken here is what the user wants to know
        reason = f'{type(error).__name__}: {error}'
        remedy = 'the check itself failed, so this was not found out; repair what it names'
        return Finding({'failed': reason}, (Ability(f'examine {name}', False, remedy),))
