"""The operations that a network consists of, as torch dispatches them: with shapes, not values."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Shape:
    """A tensor without its values.

    Attributes:
        size: Of each dimension.
        stride: Of each dimension.
        dtype: Of its values.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype

    def __repr__(self) -> str:
        size = 'x'.join(map(str, self.size))
        stride = 'x'.join(map(str, self.stride))
        return f'<{str(self.dtype).removeprefix("torch.")} {size} by {stride}>'

    def tensor(self, device: torch.device) -> Tensor:
        """One of small positive values, or of zeros where they are whole numbers."""
        made = torch.empty(self.elements, dtype=self.dtype, device=device)
        made = made.uniform_(0.1, 1) if self.dtype in FLOATS else made.zero_()
        return made.as_strided(self.size, self.stride)

    @property
    def elements(self) -> int:
        """Values in memory, of which an expanded tensor has fewer than places."""
        if 0 in self.size:
            return 0
        return 1 + sum((n - 1) * s for n, s in zip(self.size, self.stride, strict=True))


@dataclass(frozen=True)
class Operation:
    """A call of an operator.

    Attributes:
        operator: Of torch.
        arguments: In order: a :class:`Shape` for a tensor, tuples for lists.
        named: Those that are given by name, likewise.

    The same calls are equal, and their text tells others apart, in another process as well.
    """

    operator: Any
    arguments: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        named = [f'{key}={value!r}' for key, value in self.named]
        return f'{self.operator}({", ".join([*map(repr, self.arguments), *named])})'

    @property
    def memory(self) -> int:
        """Bytes of its tensors."""
        given = [*self.arguments, *(value for _, value in self.named)]
        return sum(map(_bytes, given))

    def prepared(self, device: torch.device) -> 'Prepared':
        """The same with tensors, ready to be called.

        Args:
            device: Where they are.
        """
        arguments = [_filled(value, device) for value in self.arguments]
        named = {key: _filled(value, device) for key, value in self.named}
        return Prepared(self.operator, arguments, named)


@dataclass(frozen=True)
class Prepared:
    """An operation with tensors of its own.

    Attributes:
        operator: Of torch.
        arguments: In order.
        named: By name.
    """

    operator: Any
    arguments: list[Any]
    named: Mapping[str, Any]

    def __call__(self) -> Any:
        """Do it."""
        return self.operator(*self.arguments, **self.named)

    def freshen(self) -> None:
        """Write what it reads first, as the operation before it in a network does."""
        for value in self.arguments[:1]:
            if isinstance(value, Tensor) and value.dtype in FLOATS and 0 not in value.stride():
                value.mul_(1.0)


Operations: TypeAlias = Counter[Operation]
"""How often each is called."""


def operations_of(run: Callable[[], object]) -> Operations:
    """All operations that something calls, in the order of their first calls.

    Args:
        run: What calls them; on the meta device nothing is computed.
    """
    recorder = _Recorder()
    with torch.no_grad(), recorder:
        run()
    return recorder.found


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: Operations = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: Mapping | None = None
    ) -> Any:
        kwargs = kwargs or {}
        named = tuple((key, _shapes(value)) for key, value in kwargs.items())
        self.found[Operation(func, tuple(map(_shapes, args)), named)] += 1
        return func(*args, **kwargs)


class _Device:
    """The device that an operation is told: that on which it is timed."""

    def __repr__(self) -> str:
        return 'device'


_DEVICE = _Device()


def _shapes(value: Any) -> Any:
    """An argument without values and places."""
    if isinstance(value, Tensor):
        return Shape(tuple(value.shape), tuple(value.stride()), value.dtype)
    if isinstance(value, (list, tuple)):
        return tuple(map(_shapes, value))
    return _DEVICE if isinstance(value, torch.device) else value


def _filled(value: Any, device: torch.device) -> Any:
    """Inverse of :func:`_shapes`."""
    if isinstance(value, Shape):
        return value.tensor(device)
    if isinstance(value, tuple):
        return [_filled(one, device) for one in value]
    return device if value is _DEVICE else value


def _bytes(value: Any) -> int:
    if isinstance(value, Shape):
        return value.elements * value.dtype.itemsize
    return sum(map(_bytes, value)) if isinstance(value, tuple) else 0
