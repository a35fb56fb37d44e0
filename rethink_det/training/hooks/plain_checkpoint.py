"""Checkpoints of tensors and plain values, which ``weights_only=True`` can read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner
from torch import Tensor

from rethink_det.architecture.checkpoint import META
from rethink_det.registry import HOOKS


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Write MMEngine's message hub and meta as plain values; restore the hub on resume.

    MMEngine pickles its ``HistoryBuffer`` objects into every checkpoint, whose loading
    calls ``getattr``: torch >= 2.6 rightly refuses that, so the official line cannot
    resume its own checkpoints and the onedl line falls back to full unpickling.
    """

    priority = 'LOWEST'  # after every hook that adds to the checkpoint
    """Among the hooks of a run, in MMEngine's words."""

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Replace what needs code to load."""
        hub = checkpoint.get('message_hub')
        if hub is not None:
            checkpoint['message_hub'] = {
                'log_scalars': {
                    name: [torch.as_tensor(column) for column in buffer.data]
                    for name, buffer in hub['log_scalars'].items()
                },
                'runtime_info': _safe(hub['runtime_info']),
                'resumed_keys': _safe(hub['resumed_keys']),
            }
        for part in (META, 'optimizer', 'param_schedulers'):
            if part in checkpoint:
                checkpoint[part] = _safe(checkpoint[part])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Rebuild the history buffers that the message hub expects."""
        # MMEngine's resume would run this text as Python code.
        checkpoint.get(META, {}).pop('config', None)
        restore_histories(checkpoint)


def restore_histories(checkpoint: Mapping[str, Any]) -> None:
    """Rebuild in place the history buffers that MMEngine's message hub expects."""
    scalars = (checkpoint.get('message_hub') or {}).get('log_scalars', {})
    for name, columns in scalars.items():
        if isinstance(columns, list):
            scalars[name] = HistoryBuffer(*(column.tolist() for column in columns))


def _safe(value: Any) -> Any:
    """``value`` in types that ``weights_only=True`` reads; anything else by its text.

    Tuples stay tuples and keys stay what they are: MMEngine compares what it reads back.
    """
    if value is None or isinstance(value, (bool, int, str, Tensor)):
        return value
    if isinstance(value, float):
        return float(value)  # float64 of NumPy is one, too
    if isinstance(value, Mapping):
        return {key: _safe(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_safe(item) for item in value)
    if isinstance(value, (list, set, frozenset)):
        return [_safe(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return torch.as_tensor(value) if isinstance(value, np.ndarray) else str(value)
