"""torch.compile where it can run, and the plain network with a message where it cannot."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def compiled(
    model: nn.Module, options: Mapping[str, Any], device: torch.device, logger: logging.Logger
) -> Iterator[None]:
    """Within this context ``model`` computes its loss by compiled code.

    Args:
        model: Called with ``mode='loss'`` in training, as MMEngine does; other modes, which
            evaluation uses, are left as they are.
        options: Of :func:`torch.compile`; ``dict(mode='reduce-overhead')`` for CUDA graphs.
        device: What it trains on. Anything but a CUDA device is left uncompiled.
        logger: Is told why nothing is compiled, if so.
    """
    if device.type != 'cuda':
        # Measured: see ``rethink_det/training/loop.py``.
        logger.warning(
            f'compile: left out, this run trains on the {device.type}; compiled code is for CUDA '
            'devices, and slower than the network itself on a CPU.'
        )
        yield
        return
    model.forward = _loss_only(model.forward, options, logger)
    try:
        yield
    finally:
        del model.forward  # the class's own again


def _loss_only(forward: Callable, options: Mapping[str, Any], logger: logging.Logger) -> Callable:
    fast = torch.compile(forward, **options)

    def call(*args: Any, mode: str = 'tensor', **kwargs: Any) -> Any:
        nonlocal fast
        if mode != 'loss' or fast is forward:
            return forward(*args, mode=mode, **kwargs)
        try:
            return fast(*args, mode=mode, **kwargs)
        except Exception as error:  # a compiler has many ways to fail, each with its own class
            fast = forward
            brief = str(error).splitlines()[0][:200] if str(error) else ''
            logger.warning(
                f'compile: given up, {type(error).__name__}: {brief} The run goes on uncompiled.'
            )
        return forward(*args, mode=mode, **kwargs)

    return call
