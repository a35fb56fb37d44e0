"""The device that this process computes on."""

import platform
from pathlib import Path

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


def name_of(device: torch.device) -> str:
    """The device in words; of a CPU with the threads that torch computes by."""
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f'{_processor()}, {threads} thread{"s" * (threads > 1)}'


def _processor() -> str:
    """What Linux calls the processor; elsewhere, or where it has no name, its kind."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return (names or [''])[0] or platform.processor() or platform.machine()
