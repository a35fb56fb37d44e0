"""MMEngine's message hub, made cheap enough to be written after every step of a small network."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from torch import Tensor

MOST = 1000
"""Values that wait at most: each of them holds memory of a GPU."""


class LazyHistory(HistoryBuffer):
    """The values that one key of the message hub had, a value a step.

    MMEngine's own class copies all of them for each new one, and its message hub waits until
    the device has computed it. This one does both when somebody looks, and then for all new
    values at once. What is seen is the same; copies and pickles are of MMEngine's class.

    Args:
        log_history: Values so far.
        count_history: How much each of them counts in a mean.
        max_length: Of more values than that the oldest are forgotten.
    """

    def __init__(
        self,
        log_history: Sequence[float] = (),
        count_history: Sequence[int] = (),
        max_length: int = 1_000_000,
    ) -> None:
        self._new: list[tuple[float | Tensor, int]] = []
        super().__init__(log_history, count_history, max_length)

    def update(self, log_val: float | Tensor, count: int = 1) -> None:
        """Add a value: a number, or a tensor of one that may not be computed yet."""
        self._new.append((log_val, count))
        if len(self._new) >= MOST:
            self._settle()

    def current(self) -> float:
        """The last value."""
        # The timer asks for it in every step.
        last = self._new[-1][0] if self._new else super().current()
        return last.item() if isinstance(last, Tensor) else last

    @property
    def _log_history(self) -> np.ndarray:
        self._settle()
        return self._values

    @_log_history.setter
    def _log_history(self, values: np.ndarray) -> None:
        self._values = values

    @property
    def _count_history(self) -> np.ndarray:
        self._settle()
        return self._counts

    @_count_history.setter
    def _count_history(self, counts: np.ndarray) -> None:
        self._counts = counts

    def _settle(self) -> None:
        if not self._new:
            return
        values = _numbers([value for value, _ in self._new])
        counts = [count for _, count in self._new]
        self._new = []
        kept = slice(-self.max_length, None)
        self._values = np.append(self._values, values)[kept]
        self._counts = np.append(self._counts, counts)[kept]

    def __reduce__(self) -> tuple:
        return HistoryBuffer, (self._log_history, self._count_history, self.max_length)


def _numbers(values: Sequence[float | Tensor]) -> list[float]:
    """What the values are, waiting for a device once if all of them are on it."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    if len(tensors) == len(values):
        return torch.stack([tensor.reshape(()) for tensor in tensors]).tolist()
    return [value.item() if isinstance(value, Tensor) else value for value in values]


def record(hub: MessageHub, key: str, value: float | Tensor) -> None:
    """``hub.update_scalar`` that does not wait for ``value``, except for the first of its key."""
    if key in hub.log_scalars:
        _cheap(hub, key).update(value.detach() if isinstance(value, Tensor) else value)
    else:
        hub.update_scalar(key, value)


def make_cheap(hub: MessageHub, prefix: str) -> None:
    """Let all histories whose key starts with ``prefix`` be of this kind."""
    for key in hub.log_scalars:
        if key.startswith(prefix):
            _cheap(hub, key)


def _cheap(hub: MessageHub, key: str) -> HistoryBuffer:
    buffer = hub.log_scalars[key]
    if type(buffer) is HistoryBuffer:  # another package's kind stays
        values, counts = buffer.data
        buffer = hub.log_scalars[key] = LazyHistory(values, counts, buffer.max_length)
    return buffer
