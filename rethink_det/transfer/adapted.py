"""What adapting a detector's config gives: another config, and what is different in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config


@dataclass(frozen=True)
class Change:
    """A key of a config that was given another value.

    Attributes:
        place: The key, ``'model.neck.in_channels'``.
        before: Its value; ``None`` if it was not there.
        after: Its value now; ``None`` if it is left out, ``before`` if it stays, which is said.
        reason: In words, where the place does not say it.
    """

    place: str
    before: Any
    after: Any
    reason: str = ''

    def __str__(self) -> str:
        """One line, ``model.neck.in_channels: [64, 128] -> [32, 64]``."""
        before, after = _text(self.before), _text(self.after)
        change = f'{self.place}: {before}' + (f' -> {after}' if after != before else '')
        return f'{change}, {self.reason}' if self.reason else change


@dataclass(frozen=True)
class Adapted:
    """A config made from another one, which is as it was.

    Attributes:
        config: The new one.
        changes: What is different besides what was asked for, in the order of the work.
    """

    config: Config
    changes: tuple[Change, ...]


def difference(place: str, before: Any, after: Any, reason: str = '') -> list[Change]:
    """The change of a key, if it is one; arguments as of :class:`Change`."""
    return [] if before == after else [Change(place, before, after, reason)]


def _text(value: Any) -> str:
    if isinstance(value, Sequence) and value and all(isinstance(item, str) for item in value):
        return value if isinstance(value, str) else ', '.join(value)
    return 'none' if value is None else str(value)
