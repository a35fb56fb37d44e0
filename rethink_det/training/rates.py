"""An optimizer whose step may be recorded: learning rates as tensors, no number read back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

ON_GPU: Mapping[type[Optimizer], Mapping[str, Any]] = {
    # The other two kernels of SGD read a rate back to the CPU (torch 2.6 to 2.15).
    SGD: {'fused': True, 'foreach': False},
    Adam: {'capturable': True},
    AdamW: {'capturable': True},
}
"""Of each optimizer whose step can be recorded the settings with which it is."""

_COUNTER = 'step'


class Rates:
    """Lets an optimizer step by learning rates that are tensors, as long as it is asked to.

    Outside of :meth:`in_force` everything is as ever, numbers in ``param_groups``: schedules, logs
    and checkpoints know nothing of this.

    Args:
        wrapper: Of an optimizer of :data:`ON_GPU`.
        device: What it steps on.
    """

    def __init__(self, wrapper: OptimWrapper, device: torch.device) -> None:
        self._wrapper, self._on_gpu = wrapper, device.type == 'cuda'
        # The kernels on a GPU read single precision; on a CPU a rate is the number that it was.
        dtype = torch.float32 if self._on_gpu else torch.float64
        count = len(wrapper.param_groups)
        self._rates = torch.zeros(count, dtype=dtype, device=device)
        self._known: list[float] = []
        if self._on_gpu:
            _count_on(device, wrapper.optimizer)

    def update(self) -> None:
        """Let the tensors have the rates that the optimizer has now."""
        rates = [group['lr'] for group in self._wrapper.param_groups]
        if rates != self._known:
            self._rates.copy_(torch.tensor(rates, dtype=self._rates.dtype))
            self._known = rates

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Within this context the optimizer steps by the tensors."""
        optimizer = self._wrapper.optimizer
        settings = ON_GPU[type(optimizer)] if self._on_gpu else {}
        before = [dict(group) for group in self._wrapper.param_groups]
        try:
            for group, rate in zip(self._wrapper.param_groups, self._rates, strict=True):
                group['lr'] = rate
            for group in optimizer.param_groups:
                group.update(settings)
            yield
        finally:
            for group, own in zip(self._wrapper.param_groups, before, strict=True):
                group.update(own)


def _count_on(device: torch.device, optimizer: Optimizer) -> None:
    """Let the steps that a resumed optimizer has made be counted on the device."""
    for state in optimizer.state.values():
        if isinstance(state.get(_COUNTER), Tensor):
            state[_COUNTER] = state[_COUNTER].to(device, torch.float32)
