"""Who says the sizes that a network gives its tensors: modules, other tensors, or its code.

A size that a module keeps as a number is set anew when channels go (:mod:`.own_numbers`). One
that is read off another tensor changes by itself, and ties the channels of both. One that is
written in the code stays, and so do the channels that it counts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add, floordiv, mod, mul, sub
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from rethink_det.architecture.channel_ties import Labels, Nodes, Ties
from rethink_det.architecture.own_numbers import Demand, FollowedNumber, OwnNumber


class SizeRead(FollowedNumber):
    """An ``int`` that was read off the shape of a tensor, or computed from such.

    Attributes:
        nodes: Of the dimension; ``None`` for what was computed.
    """

    nodes: Nodes | None

    def __new__(cls, value: int, nodes: Nodes | None = None) -> 'SizeRead':
        """A size, and of what."""
        self = super().__new__(cls, value)
        self.nodes = nodes
        return self

    def tie(self, nodes: Nodes, ties: Ties) -> None:
        """Say that of so many other channels as many stay as of those that it is of."""
        if self.nodes is not None and len(nodes) == len(self.nodes):
            ties.as_many(self.nodes, nodes)

    def __eq__(self, other: object) -> bool:
        same = int(self) == other
        if same and isinstance(other, OwnNumber):
            other.compared(self.nodes)
        return same

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(int(self))


def _computed(operation: Callable[[int, int], int], swapped: bool) -> Callable[[int, Any], Any]:
    def compute(self: int, other: Any) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        one, two = (int(other), int(self)) if swapped else (int(self), int(other))
        return SizeRead(operation(one, two))

    return compute


for _name, _operation in {
    'mul': mul,
    'floordiv': floordiv,
    'add': add,
    'sub': sub,
    'mod': mod,
}.items():
    setattr(SizeRead, f'__{_name}__', _computed(_operation, swapped=False))
    setattr(SizeRead, f'__r{_name}__', _computed(_operation, swapped=True))


class SizesSaid(TorchFunctionMode):
    """Watches who says the sizes of dimensions.

    Attributes:
        demands: What was found of numbers of modules.
        said: Which dimensions of what is being reshaped are said by such numbers.

    Args:
        labels: Looks up the labels of a tensor.
        label: Gives a tensor labels.
        ties: What is told.
    """

    def __init__(
        self,
        labels: Callable[[Tensor], Labels],
        label: Callable[[Tensor, Labels], None],
        ties: Ties,
    ) -> None:
        super().__init__()
        self.labels, self.label, self.ties = labels, label, ties
        self.demands: list[Demand] = []
        self.said: frozenset[int] = frozenset()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence = (), kwargs: Mapping | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, '__name__', '')
        if name == 'numel' and args[0].ndim == 1:
            return SizeRead(func(*args, **kwargs), self.labels(args[0])[0])
        if name == 'size' or getattr(func, '__self__', None) is Tensor.shape:
            return self._sizes(args[0], func(*args, **kwargs), *args[1:], **kwargs)
        if name in FACTORIES:
            return self._made(name, args, kwargs, func(*args, **kwargs))
        if name not in _READERS or not (args and isinstance(args[0], Tensor)):
            return func(*args, **kwargs)
        shape = _shape(args, kwargs) if name in RESHAPING else ()
        outer = self.said
        self.said = frozenset(d for d, n in enumerate(shape) if isinstance(n, OwnNumber))
        try:
            result = func(*args, **kwargs)
        finally:
            self.said = outer
        for number, nodes in _READERS[name](self.labels, args, kwargs, result):
            self._told(number, nodes)
        return result

    def _sizes(self, tensor: Tensor, sizes: Any, dim: int | None = None) -> Any:
        """Sizes that know what they are of."""
        labels = self.labels(tensor)
        if isinstance(sizes, int):
            return SizeRead(sizes, labels[dim if dim is not None else 0])
        return torch.Size(SizeRead(n, nodes) for n, nodes in zip(sizes, labels, strict=True))

    def _made(self, name: str, args: Sequence, kwargs: Mapping, result: Any) -> Any:
        """A new tensor; along a dimension whose size was read off another it has its channels."""
        shape = _shape(args if name.startswith('new') else (None, *args), kwargs)
        if isinstance(result, Tensor) and len(shape) == result.ndim:
            sides = [size.nodes if isinstance(size, SizeRead) else None for size in shape]
            if any(nodes is not None for nodes in sides):
                self.label(result, tuple(sides))
        return result

    def _told(self, number: Any, nodes: Nodes | None) -> None:
        if isinstance(number, OwnNumber):
            self.demands.append(Demand(number, nodes))
        elif isinstance(number, SizeRead):
            if nodes is not None:
                number.tie(nodes, self.ties)
        elif isinstance(number, int) and number >= 0:
            self.ties.fix(nodes, 'says a size in its code')


FACTORIES = ('zeros', 'ones', 'empty', 'new_zeros', 'new_ones', 'new_empty')
RESHAPING = ('view', 'reshape', 'expand', 'broadcast_to')

Said = Iterable[tuple[Any, Nodes | None]]
"""Numbers, and the channels that each must count."""

_Lookup = Callable[[Tensor], Labels]


def _shape(args: Sequence, kwargs: Mapping) -> Sequence:
    sizes = args[1:] or tuple(kwargs.get('shape', kwargs.get('size', ())))
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (list, tuple)) else sizes


def _reshaped(labels: _Lookup, args: Sequence, kwargs: Mapping, result: Any) -> Said:
    shape = _shape(args, kwargs)
    if len(shape) == result.ndim:  # else another type of element
        yield from zip(shape, labels(result), strict=True)


def _unflattened(labels: _Lookup, args: Sequence, kwargs: Mapping, result: Any) -> Said:
    dim, sizes = args[1] if len(args) > 1 else kwargs['dim'], args[-1] if len(args) > 2 else ()
    if isinstance(sizes, (list, tuple)):
        dim = dim % args[0].ndim
        yield from zip(sizes, labels(result)[dim:], strict=False)


def _split(labels: _Lookup, args: Sequence, kwargs: Mapping, result: Any) -> Said:
    sizes = args[1] if len(args) > 1 else kwargs.get('split_size_or_sections', ())
    dim = args[2] if len(args) > 2 else kwargs.get('dim', 0)
    every = sizes if isinstance(sizes, (list, tuple)) else [sizes] * len(result)
    for number, part in zip(every, result, strict=False):
        if number == part.shape[dim]:
            yield number, labels(part)[dim]


def _narrowed(labels: _Lookup, args: Sequence, kwargs: Mapping, result: Any) -> Said:
    if len(args) == 4:
        tensor, dim, start, length = args
        yield from _ends(labels(tensor)[dim], start, start + length)


def _sliced(labels: _Lookup, args: Sequence, kwargs: Mapping, result: Any) -> Said:
    tensor, places = args[0], args[1] if isinstance(args[1], tuple) else (args[1],)
    if any(place is ... for place in places):
        at = next(i for i, place in enumerate(places) if place is ...)
        missing = tensor.ndim - sum(_dims_of(place) for place in places)
        places = (*places[:at], *[slice(None)] * missing, *places[at + 1 :])
    dim = 0
    for place in places:
        if isinstance(place, slice) and place.step is None:
            yield from _ends(labels(tensor)[dim], place.start, place.stop)
        dim += _dims_of(place)


def _dims_of(place: Any) -> int:
    """How many dimensions an index is for."""
    if place is None or place is ... or isinstance(place, bool):
        return 0
    return place.ndim if isinstance(place, Tensor) and place.dtype == torch.bool else 1


def _ends(nodes: Nodes | None, *ends: Any) -> Said:
    """Ends of a range: so many are before each, or behind it if it counts from the end."""
    for end in ends:
        written = type(end) is int
        if end is None or end == 0 or (written and nodes is not None and abs(end) >= len(nodes)):
            continue
        counted = None if nodes is None else (nodes[:end] if end > 0 else nodes[end:])
        yield abs(end) if written else end, counted


def _normed(labels: _Lookup, args: Sequence, kwargs: Mapping, result: Any) -> Said:
    """A layer norm is told the sizes that it works on."""
    if len(args) > 1 and all(isinstance(one, OwnNumber) for one in args[1]):
        yield from zip(args[1], labels(args[0])[-len(args[1]) :], strict=True)


_Reader = Callable[[_Lookup, Sequence, Mapping, Any], Said]

_READERS: dict[str, _Reader] = {
    **dict.fromkeys(RESHAPING, _reshaped),
    'unflatten': _unflattened,
    'split': _split,
    'split_with_sizes': _split,
    'narrow': _narrowed,
    '__getitem__': _sliced,
    'layer_norm': _normed,
    'rms_norm': _normed,
}
