"""No network is built that nothing could train: a file can say ``depth: 1000000`` in a line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook
from torch.overrides import TorchFunctionMode

from rethink_det.bounds import is_int
from rethink_det.errors import UserError

MODULES = 6_000
"""The 1202 layers of the deepest ResNet of arXiv 1512.03385 are 3,606 modules."""
VALUES = 1_000_000_000
"""Parameters and buffers, 4 GB; VGG-16 has 138 million."""

_MAKERS = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}


@contextmanager
def bounded() -> Iterator[None]:
    """A context in which no network of more modules or values is built.

    The values are counted before they have memory.

    Raises:
        UserError: It would have more.
    """
    modules = 0

    def count(module: nn.Module, name: str, part: nn.Module | None) -> None:
        nonlocal modules
        modules += 1
        if modules > MODULES:
            raise UserError(f'a network of more than {MODULES:,} modules')

    handle = register_module_module_registration_hook(count)
    try:
        with _CountedValues():
            yield
    finally:
        handle.remove()


class _CountedValues(TorchFunctionMode):
    """Refuses the tensor that is one too many, before it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.values = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _MAKERS:
            self.values += _size(kwargs.get('size', args))
            if self.values > VALUES:
                raise UserError(f'a network of more than {VALUES:,} values')
        return func(*args, **kwargs)


def _size(sizes: Any) -> int:
    """Values of ``torch.empty(2, 3)`` or ``torch.empty((2, 3))``."""
    if isinstance(sizes, Sequence) and sizes and isinstance(sizes[0], Sequence):
        sizes = sizes[0]
    return prod(size for size in sizes if is_int(size)) if isinstance(sizes, Sequence) else 0
