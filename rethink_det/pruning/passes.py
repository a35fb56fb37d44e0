"""How often a pruner lets the network look at an image: what its search costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class Passes:
    """Images that went through a network, each counted as often as it did.

    Attributes:
        forward: Forward passes. One that was broken off on the way counts as a whole one.
        backward: Backward passes.
    """

    forward: int = 0
    backward: int = 0

    @property
    def as_forward(self) -> int:
        """Forward passes that cost as much: a backward pass is worth two of them."""
        return self.forward + 2 * self.backward


class _Counter:
    """Counts while it is on; :attr:`passes` is so far."""

    def __init__(self) -> None:
        self.passes = Passes()

    def enter(self, backbone: nn.Module, inputs: tuple[Any, ...]) -> None:
        images = _images(inputs)
        self.passes = Passes(self.passes.forward + images, self.passes.backward)

    def leave(self, backbone: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """Listen for the first gradient that comes back to any of the outputs."""
        images = _images(inputs)
        heard: list[bool] = []

        def hear(gradient: Tensor) -> None:
            if not heard:
                heard.append(True)
                self.passes = Passes(self.passes.forward, self.passes.backward + images)

        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor) and tensor.requires_grad:
                tensor.register_hook(hear)


def _images(inputs: tuple[Any, ...]) -> int:
    return next((len(one) for one in inputs if isinstance(one, Tensor)), 0)


@contextmanager
def counted_passes(network: nn.Module) -> Iterator[_Counter]:
    """Count the passes of a network's backbone.

    Args:
        network: With a ``backbone``; another one is counted itself.

    Yields:
        Something with the :class:`Passes` so far as ``passes``.
    """
    counter, watched = _Counter(), getattr(network, 'backbone', network)
    handles = (
        watched.register_forward_pre_hook(counter.enter),
        watched.register_forward_hook(counter.leave),
    )
    try:
        yield counter
    finally:
        for handle in handles:
            handle.remove()
