"""Where a pruner looks at images: the network goes to a device for it, and comes back."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from rethink_det.errors import UserError
from rethink_det.training.device import current_device


@contextmanager
def at_work(network: nn.Module, device: torch.device | None = None) -> Iterator[None]:
    """Within this context the network is on a device; afterwards it is where it was.

    A GPU computes in single precision here, and not in the shortened one that convolutions have
    there by default: what is measured is compared, channel by channel.

    Args:
        network: Its parameters stay the same objects.
        device: Default: where it is, if that is no CPU; else the GPU of this process, if there
            is one.

    Raises:
        UserError: The device has not enough memory.
    """
    own = next(network.parameters()).device
    device = device or (own if own.type != 'cpu' else current_device())
    try:
        with _in_single_precision(device):
            network.to(device)
            yield
    except torch.cuda.OutOfMemoryError as error:
        raise UserError(
            f'The memory of {device} is not enough for the images that the method looks at '
            'together: give it fewer (--pruner-options images=N), or --device cpu.'
        ) from error
    finally:
        network.to(own)


@contextmanager
def _in_single_precision(device: torch.device) -> Iterator[None]:
    if device.type != 'cuda':
        yield
        return
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
