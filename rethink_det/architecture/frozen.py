"""Dictionaries that cannot be changed: what makes a value that holds some a value."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

V = TypeVar('V')


class FrozenMapping(Mapping[str, V]):
    """A mapping that cannot be changed, nor can anything in it.

    It equals a dictionary of the same items, and can be hashed, pickled and copied. A
    dictionary to change is :func:`rethink_det.files.plain` of it.

    Args:
        items: Copied; the values become what :func:`freeze` makes of them.
    """

    __slots__ = ('_items',)

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = MappingProxyType({key: freeze(value) for key, value in items.items()})

    def __getitem__(self, key: str) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f'{type(self).__name__}({dict(self._items)})'

    def __reduce__(self) -> tuple:
        return type(self), (dict(self._items),)


def freeze(value: Any) -> Any:
    """``value`` with all dictionaries in it frozen, and all lists as tuples."""
    if isinstance(value, FrozenMapping):
        return value
    if isinstance(value, Mapping):
        return FrozenMapping(value)
    return tuple(map(freeze, value)) if isinstance(value, (list, tuple)) else value
