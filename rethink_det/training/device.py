"""The device that this process computes on."""

import torch

from rethink_det.errors import UserError


def current_device() -> torch.device:
    """The GPU that this process uses, or the CPU."""
    if torch.cuda.is_available():
        return torch.device('cuda', torch.cuda.current_device())
    return torch.device('cpu')


def device_named(name: str | torch.device | None) -> torch.device | None:
    """The device of a name, ``'cpu'``, ``'cuda'`` or ``'cuda:1'``; None of None.

    Raises:
        UserError: There is no such device here.
    """
    if name is None:
        return None
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise UserError(f'device: {name!r} is none; say cpu, cuda or cuda:N.') from None
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == 'cpu' or (device.type == 'cuda' and (device.index or 0) < there):
        return device
    raise UserError(
        f'device: there is no {device} here, but {there or "no"} CUDA device{"s"[: there != 1]}; '
        'leave it out, or say cpu.'
    )


def wait_for(device: torch.device) -> None:
    """Return when everything that was asked of ``device`` is done, as before a clock is read."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
