"""Ids in COCO files are names: any number or text that is used once."""

from collections.abc import Hashable, Iterable, Mapping
from math import isfinite
from typing import Any, TypeAlias

Name: TypeAlias = Hashable
"""An id of an image, a category or an object, as a file has it: most often an integer."""


def is_id(value: object) -> bool:
    """Whether it can be told apart from others: a text or a finite number; no truth value."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    return not isinstance(value, float) or isfinite(value)


def in_order(names: Iterable[Any]) -> list[Any]:
    """Each once, in the order in which pycocotools takes them: numbers, then texts.

    The order decides which of two detections with the same score comes first.
    """
    return sorted(set(names), key=rank)


def rank(name: Any) -> tuple[bool, Any]:
    """What to sort an id by: numbers and texts cannot be compared."""
    return isinstance(name, str), name


def numbered(names: Iterable[Any]) -> Mapping[Any, int]:
    """A number for each, from 1 on: evaluators take some of them to mean that there is nothing."""
    return {name: number for number, name in enumerate(in_order(names), 1)}
