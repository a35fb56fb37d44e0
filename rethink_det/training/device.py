"""The device that this process computes on."""

import torch


def current_device() -> torch.device:
    """The GPU that this process uses, or the CPU."""
    if torch.cuda.is_available():
        return torch.device('cuda', torch.cuda.current_device())
    return torch.device('cpu')


def wait_for(device: torch.device) -> None:
    """Return when everything that was asked of ``device`` is done, as before a clock is read."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
