"""Numbers that modules keep of their own, and what widths they stand for.

A network may say a width in its code: how wide a head of attention is, at which channel a map is
split. While it runs for :mod:`.channel_trace`, every such number is an :class:`OwnNumber`, an
``int`` that knows which attribute it comes from; where one says the size of a dimension of
channels, that is a :class:`Demand`. After channels went, :func:`set_numbers` sets the attributes
anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import add, floordiv, mul, sub
from typing import Any

from torch import nn

from rethink_det.architecture.channel_ties import Nodes

Place = tuple[str, str, int | None]
"""A module's name, its attribute, and where in that if it is a list or tuple."""


class FollowedNumber(int):
    """An ``int`` that knows where it comes from."""

    def __reduce__(self) -> Any:
        return int, (int(self),)


class OwnNumber(FollowedNumber):
    """An ``int`` that knows from which attributes of modules it was computed.

    Attributes:
        places: Those.
        made: Computes it anew from other values of them; ``None`` for an attribute itself.
        heard: Where it notes sizes of tensors that the network asserts to be equal to it.
    """

    places: frozenset[Place]
    made: Callable[[Mapping[Place, int]], int] | None
    heard: 'list[Demand]'

    def __new__(
        cls,
        value: int,
        places: frozenset[Place],
        made: Callable[[Mapping[Place, int]], int] | None = None,
        heard: 'list[Demand] | None' = None,
    ) -> 'OwnNumber':
        """A number, and where it comes from."""
        self = super().__new__(cls, value)
        self.places, self.made = places, made
        self.heard = [] if heard is None else heard
        return self

    def compared(self, nodes: Nodes | None) -> None:
        """Note that the network found it to be the number of some channels."""
        self.heard.append(Demand(self, nodes))

    def given(self, values: Mapping[Place, int]) -> int:
        """What it would be if attributes had other values."""
        if self.made is not None:
            return self.made(values)
        (place,) = self.places
        return values.get(place, int(self))

    def _with(self, other: Any, operation: Callable[[int, int], int], swapped: bool = False) -> Any:
        if type(other) is not int and not isinstance(other, OwnNumber):
            return NotImplemented  # a size that was read: it changes by itself
        one, two = (other, self) if swapped else (self, other)

        def made(values: Mapping[Place, int]) -> int:
            return operation(_given(one, values), _given(two, values))

        try:
            value = operation(int(one), int(two))
        except ZeroDivisionError:
            return NotImplemented
        places = self.places | getattr(other, 'places', frozenset())
        return OwnNumber(value, places, made, self.heard)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, mul)

    def __rmul__(self, other: Any) -> Any:
        return self._with(other, mul, swapped=True)

    def __floordiv__(self, other: Any) -> Any:
        return self._with(other, floordiv)

    def __add__(self, other: Any) -> Any:
        return self._with(other, add)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, add, swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, sub)


def _given(number: int, values: Mapping[Place, int]) -> int:
    return number.given(values) if isinstance(number, OwnNumber) else number


@dataclass(frozen=True)
class Demand:
    """A number of a module that must be how many of some channels are left.

    Attributes:
        number: The number.
        nodes: Of the channels.
    """

    number: OwnNumber
    nodes: Nodes | None


@contextmanager
def known_numbers(model: nn.Module) -> Iterator[list[Demand]]:
    """Every number that a module of a model keeps knows where it comes from; put back after.

    Yields:
        What the network asserts of such numbers while it runs.
    """
    heard: list[Demand] = []
    kept: list[tuple[dict, str, Any]] = []
    for name, module in model.named_modules():
        own = vars(module)
        for key, value in list(own.items()):
            if (known := _known(value, (name, key), heard)) is not value:
                kept.append((own, key, value))
                own[key] = known
    try:
        yield heard
    finally:
        for own, key, value in kept:
            own[key] = value
        for module in model.modules():  # what the network has noted itself
            for key, value in list(vars(module).items()):
                if isinstance(value, FollowedNumber):
                    vars(module)[key] = int(value)


def _known(value: Any, place: tuple[str, str], heard: list[Demand]) -> Any:
    def known(one: Any, at: int | None) -> Any:
        counts = type(one) is int and one > 1
        return OwnNumber(one, frozenset([(*place, at)]), heard=heard) if counts else one

    if type(value) in (list, tuple):
        found = [known(one, at) for at, one in enumerate(value)]
        same = all(new is old for new, old in zip(found, value, strict=True))
        return value if same else type(value)(found)
    return known(value, None)


def solved(demands: Iterable[Demand], left: Callable[[Nodes], int]) -> dict[Place, int]:
    """The values of attributes that meet as many demands as can be.

    Args:
        demands: Those of a network.
        left: How many of some nodes are left.
    """
    values: dict[Place, int] = {}
    wanted = [(d.number, int(d.number) if d.nodes is None else left(d.nodes)) for d in demands]
    for number, size in sorted(wanted, key=lambda pair: len(pair[0].places)):
        if number.given(values) == size:
            continue
        for place in sorted(number.places, key=str):
            if place not in values and (value := _value(number, size, place, values)):
                values[place] = value
                break
    return values


def _value(number: OwnNumber, size: int, place: Place, values: Mapping[Place, int]) -> int | None:
    if number.made is None:
        return size
    whole = max(int(number), size, 1)
    tried = range(1, 8 * whole + 1)
    return next((v for v in tried if number.given({**values, place: v}) == size), None)


def set_numbers(model: nn.Module, values: Mapping[Place, int]) -> None:
    """Set attributes of modules, in place."""
    for (name, key, at), value in values.items():
        own = vars(model.get_submodule(name))
        if at is None:
            own[key] = value
        else:
            sequence = list(own[key])
            sequence[at] = value
            own[key] = type(own[key])(sequence)
