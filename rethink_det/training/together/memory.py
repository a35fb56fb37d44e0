"""How much memory a member of a group takes, estimated before anything is trained."""

import os
from functools import partial
from math import prod

import torch
from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture.network import without_memory
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS

COPIES = 6
"""Of each weight: itself, its gradient, the optimizer's two at most, and the two of all members."""
TRANSIENT = 2
"""How often the largest tensor of a step is there besides: what goes backward."""
USABLE = 0.8
"""Share of the free memory that a group may take: kernels need some, and it is in pieces."""


def member_bytes(config: Config, images: int) -> int:
    """Bytes that a training takes as a member of a group.

    What autograd keeps of a step is counted on a network without memory, in float32, and so are
    the training images, of which each member has its own copy on the device.

    Args:
        config: Of a classifier's run, resolved.
        images: That it trains on.
    """
    with scope_of(config):
        model = without_memory(partial(build, MODELS, config.model)).to('meta').train()
    shape = model.architecture.input_shape
    batch = torch.empty(config.train_dataloader.batch_size, *shape, device='meta')
    labels = torch.empty(len(batch), dtype=torch.int64, device='meta')
    kept: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = model(batch, labels, mode='loss')['loss']
    assert loss.requires_grad
    sizes = [tensor.untyped_storage().nbytes() for tensor in kept.values()]
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    return sum(sizes) + TRANSIENT * max(sizes) + COPIES * weights + images * prod(shape)


def free_bytes() -> int:
    """Memory that is free: of the current GPU if there is one, else of the machine."""
    if torch.cuda.is_available():
        return torch.cuda.mem_get_info()[0]
    return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')


def most_members(each: int, free: int) -> int:
    """How many members fit; one at least, which must in any case.

    Args:
        each: Bytes that each takes.
        free: Bytes that are free.
    """
    return max(1, int(USABLE * free / each))
