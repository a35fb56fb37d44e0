"""Numbers that modules keep of their own, and what widths they stand for.

A network may say a width in its code: how wide a head of attention is, at which channel a map is
split. While it runs for :mod:`.channel_trace`, every such number is an :class:`OwnNumber`, an
``int`` that knows which attribute it comes from; where one says the size of a dimension of
channels, that is a :class:`Demand`. After channels went, :func:`settle` sets the attributes anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import add, floordiv, mul, sub
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from rethink_det.architecture.channel_ties import Labels, Nodes, Ties

Place = tuple[str, str, int | None]
"""A module's name, its attribute, and where in that if it is a list or tuple."""


class OwnNumber(int):
    """An ``int`` that knows from which attributes of modules it was computed.

    Attributes:
        places: Those.
        made: Computes it anew from other values of them; ``None`` for an attribute itself.
    """

    places: frozenset[Place]
    made: Callable[[Mapping[Place, int]], int] | None

    def __new__(
        cls,
        value: int,
        places: frozenset[Place],
        made: Callable[[Mapping[Place, int]], int] | None = None,
    ) -> 'OwnNumber':
        """A number, and where it comes from."""
        self = super().__new__(cls, value)
        self.places, self.made = places, made
        return self

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
        return OwnNumber(value, self.places | getattr(other, 'places', frozenset()), made)

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

    def __reduce__(self) -> Any:
        return int, (int(self),)


def _given(number: int, values: Mapping[Place, int]) -> int:
    return number.given(values) if isinstance(number, OwnNumber) else number


class SizeRead(int):
    """An ``int`` that was read off the shape of a tensor, and the nodes of that dimension."""

    nodes: Nodes | None

    def __new__(cls, value: int, nodes: Nodes | None) -> 'SizeRead':
        """A size, and of what."""
        self = super().__new__(cls, value)
        self.nodes = nodes
        return self

    def tie(self, nodes: Nodes, ties: Ties) -> None:
        """Tie what it is of to as many other channels; to none if they are not as many."""
        if self.nodes is not None and len(nodes) == len(self.nodes):
            ties.join(self.nodes, nodes)


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
def known_numbers(model: nn.Module) -> Iterator[None]:
    """Every number that a module of a model keeps knows where it comes from; put back after."""
    kept: list[tuple[dict, str, Any]] = []
    for name, module in model.named_modules():
        own = vars(module)
        for key, value in list(own.items()):
            if (known := _known(value, name, key)) is not value:
                kept.append((own, key, value))
                own[key] = known
    try:
        yield
    finally:
        for own, key, value in kept:
            own[key] = value


def _known(value: Any, name: str, key: str) -> Any:
    if type(value) is int and value > 1:
        return OwnNumber(value, frozenset([(name, key, None)]))
    if type(value) in (list, tuple) and any(type(v) is int and v > 1 for v in value):
        return type(value)(
            OwnNumber(v, frozenset([(name, key, at)])) if type(v) is int and v > 1 else v
            for at, v in enumerate(value)
        )
    return value


class NumbersRead(TorchFunctionMode):
    """Watches which numbers of modules, and of other tensors, say the sizes of dimensions.

    Where a tensor gets a size that another one has, the channels of both are tied, so that as many
    are left of them.

    Attributes:
        demands: What was found.
        said: Which dimensions of what is being reshaped are said by such numbers.
    """

    def __init__(self, labels: Callable[[Tensor], Labels], ties: Ties) -> None:
        super().__init__()
        self.labels, self.ties = labels, ties
        self.demands: list[Demand] = []
        self.said: frozenset[int] = frozenset()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence = (), kwargs: Mapping | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, '__name__', '')
        if name == 'size' or getattr(func, '__self__', None) is Tensor.shape:
            return self._sizes(args[0], func(*args, **kwargs), *args[1:], **kwargs)
        if not any(isinstance(one, _KNOWN) for one in _flat([*args, *kwargs.values()])):
            return func(*args, **kwargs)
        shape = _shape(args, kwargs) if name in RESHAPING else ()
        outer = self.said
        self.said = frozenset(d for d, n in enumerate(shape) if isinstance(n, OwnNumber))
        try:
            result = func(*args, **kwargs)
        finally:
            self.said = outer
        self._read(name, shape, args, kwargs, result)
        return result

    def _sizes(self, tensor: Tensor, sizes: Any, dim: int | None = None) -> Any:
        """Sizes that know what they are of."""
        labels = self.labels(tensor)
        if isinstance(sizes, int):
            return SizeRead(sizes, labels[dim if dim is not None else 0])
        return torch.Size(SizeRead(n, nodes) for n, nodes in zip(sizes, labels, strict=True))

    def _read(
        self, name: str, shape: Sequence, args: Sequence, kwargs: Mapping, result: Any
    ) -> None:
        if name in RESHAPING and isinstance(result, Tensor):
            self._demand(zip(shape, self.labels(result), strict=False))
        elif name in SPLITTING:
            sizes = args[1] if len(args) > 1 else kwargs.get('split_size_or_sections')
            dim = args[2] if len(args) > 2 else kwargs.get('dim', 0)
            every = sizes if isinstance(sizes, (list, tuple)) else [sizes] * len(result)
            parts = zip(every, result, strict=False)
            self._demand((n, self.labels(part)[dim]) for n, part in parts if n == part.shape[dim])
        elif name == '__getitem__' and isinstance(args[0], Tensor):
            self._ranges(args[0], args[1])
        elif name == 'narrow' and not kwargs and len(args) == 4:
            tensor, dim, start, length = args
            self._ends(tensor, dim, slice(start, start + length))
        elif name == 'layer_norm' and len(args) > 1:
            tail = self.labels(args[0])[-len(args[1]) :]
            self._demand(zip(args[1], tail, strict=True))

    def _ranges(self, tensor: Tensor, places: Any) -> None:
        places = places if isinstance(places, tuple) else (places,)
        if ... in [p for p in places if not isinstance(p, Tensor)]:
            at = next(i for i, p in enumerate(places) if p is ...)
            missing = tensor.ndim - sum(p is not None for p in places) + 1
            places = (*places[:at], *[slice(None)] * missing, *places[at + 1 :])
        dims = [place for place in places if place is not None]
        for dim, place in enumerate(dims):
            if isinstance(place, slice):
                self._ends(tensor, dim, place)

    def _ends(self, tensor: Tensor, dim: int, place: slice) -> None:
        nodes = self.labels(tensor)[dim]
        ends = (end for end in (place.start, place.stop) if end is not None)
        self._demand((end, None if nodes is None else nodes[:end]) for end in ends)

    def _demand(self, sizes: Iterable[tuple[Any, Nodes | None]]) -> None:
        for number, nodes in sizes:
            if isinstance(number, OwnNumber):
                self.demands.append(Demand(number, nodes))
            elif isinstance(number, SizeRead) and nodes is not None:
                number.tie(nodes, self.ties)


_KNOWN = (OwnNumber, SizeRead)
RESHAPING = ('view', 'reshape', 'expand', 'unflatten', 'broadcast_to')
SPLITTING = ('split', 'split_with_sizes')


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        elif isinstance(value, slice):
            yield from (value.start, value.stop)
        else:
            yield value


def _shape(args: Sequence, kwargs: Mapping) -> Sequence:
    sizes = args[1:] or tuple(kwargs.get('shape', kwargs.get('size', ())))
    if len(sizes) == 1 and isinstance(sizes[0], (list, tuple)):
        sizes = sizes[0]
    return [size for size in sizes if isinstance(size, int)]


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


def set_widths(module: nn.Module) -> None:
    """Set what a module of torch says of its widths to those of its weights, in place."""
    weight = getattr(module, 'weight', None)
    own = vars(module)
    if isinstance(module, nn.modules.conv._ConvNd):
        _set_convolution(module)
    elif isinstance(module, nn.Linear):
        own['out_features'], own['in_features'] = module.weight.shape
    elif isinstance(module, nn.modules.batchnorm._NormBase):
        vector = weight if weight is not None else module.running_mean
        if isinstance(vector, Tensor):
            own['num_features'] = len(vector)
    elif isinstance(module, nn.GroupNorm) and isinstance(weight, Tensor):
        own['num_channels'] = len(weight)
    elif 'normalized_shape' in own and isinstance(weight, Tensor):
        own['normalized_shape'] = tuple(weight.shape)
    elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
        own['embed_dim'] = own['kdim'] = own['vdim'] = module.in_proj_weight.shape[1]
        own['head_dim'] = module.in_proj_weight.shape[0] // 3 // module.num_heads
    elif isinstance(module, nn.PReLU):
        own['num_parameters'] = len(module.weight)


def _set_convolution(module: Any) -> None:
    rows, columns = module.weight.shape[:2]
    own = vars(module)
    old_in, groups = module.in_channels, module.groups
    if groups > 1 and groups == old_in:
        multiplier = module.out_channels // groups
        groups = rows if module.transposed else rows // multiplier
    own['groups'] = groups
    own['out_channels'] = columns * groups if module.transposed else rows
    own['in_channels'] = rows if module.transposed else columns * groups
