"""The most memory that a network's tensors take while it looks at one image."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rethink_det.training.device import wait_for


def peak_memory(network: nn.Module, call: Callable[[], object], device: torch.device) -> int:
    """Bytes of the weights, and of all else that is held at the worst moment of ``call``.

    On a GPU what torch's allocator hands out, workspaces of kernels included. A CPU has no such
    count that knows of one network alone, so there the tensors are counted: what an operator
    takes within itself and gives back is not.

    Args:
        network: Its parameters and buffers are there all the time.
        call: Makes it look at an image; should have been called before.
        device: Where the network is.
    """
    owned = {t.untyped_storage() for t in (*network.parameters(), *network.buffers())}
    weights = sum(storage.nbytes() for storage in owned)
    if device.type == 'cuda':
        wait_for(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        wait_for(device)
        return weights + torch.cuda.max_memory_allocated(device) - before
    with TensorsAlive(network) as alive:
        call()
    return weights + alive.peak


class TensorsAlive(TorchDispatchMode):
    """Counts the bytes of all tensors that operators make while it is on.

    Attributes:
        now: Bytes of those that still exist.
        peak: The most that there were at a time.
    """

    def __init__(self, network: nn.Module) -> None:
        """``network``: its own tensors are not counted, which views of them would otherwise be."""
        super().__init__()
        self.now = self.peak = 0
        own = (*network.parameters(), *network.buffers())
        self._seen = {t.untyped_storage()._cdata for t in own}

    def __torch_dispatch__(
        self, operator: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Do it, and count what it made."""
        made = operator(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        return made

    def _add(self, storage: torch.UntypedStorage) -> None:
        place, size = storage._cdata, storage.nbytes()
        if place in self._seen:  # a view, or changed in place
            return
        self._seen.add(place)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._remove, place, size)

    def _remove(self, place: int, size: int) -> None:
        self._seen.discard(place)
        self.now -= size
