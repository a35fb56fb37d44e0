"""What a run takes for its own in a process, and S runs in one process cannot share."""

import random
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer
from torch import Tensor

_CURRENT = (MMLogger, MessageHub, Visualizer, DefaultScope)
"""Classes of MMEngine that take the instance that was made last for the current one."""


@dataclass(frozen=True)
class ProcessState:
    """Random numbers, where prints go, and what MMEngine takes for the current run.

    Attributes:
        generators: Of Python, NumPy, torch, and torch on the current GPU if it is in use.
        streams: Standard output and error.
        current: Names of MMEngine's current instances, by their class.
    """

    generators: tuple[Any, Any, Tensor, Tensor | None]
    streams: tuple[TextIO, TextIO]
    current: tuple[str | None, ...]

    @classmethod
    def now(cls) -> 'ProcessState':
        """As it is."""
        on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()
        return cls(
            (
                random.getstate(),
                np.random.get_state(),
                torch.get_rng_state(),
                torch.cuda.get_rng_state() if on_gpu else None,
            ),
            (sys.stdout, sys.stderr),
            tuple(next(reversed(_instances(kind)), None) for kind in _CURRENT),
        )

    def restore(self) -> None:
        """Let it be so again."""
        python, numpy, cpu, gpu = self.generators
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if gpu is not None:
            torch.cuda.set_rng_state(gpu)
        sys.stdout, sys.stderr = self.streams
        for kind, name in zip(_CURRENT, self.current, strict=True):
            if name is not None and name in _instances(kind):
                _instances(kind).move_to_end(name)


def _instances(kind: Any) -> 'OrderedDict[str, Any]':
    return kind._instance_dict  # MMEngine's own attribute, see its ManagerMixin
