"""Residual blocks: what they add, where their residual branch ends, what is left without it.

A residual block is a :class:`ResidualBlock` (this package's), or one built as torchvision's and
mmdet's are: ``conv1``, ``conv2`` and ``downsample``, with a ReLU after the addition.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from rethink_det.errors import UserError, shown

SHORTCUT = 'downsample'
"""Name of the projection on the shortcut, in this package as in torchvision and mmdet."""


@runtime_checkable
class ResidualBlock(Protocol):
    """A block of this package's networks."""

    def shortcut(self, x: Tensor) -> Tensor:
        """What is added to the residual branch when the block reads ``x``."""

    def without_residual(self) -> nn.Module:
        """The block with its residual branch at zero, made of its other layers."""


class Shortcut(nn.Module):
    """A post-activation block without its residual branch: the projection, then ReLU."""

    def __init__(self, downsample: nn.Module) -> None:
        super().__init__()
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to the shape the block put out."""
        return self.downsample(x).relu()


def residual_blocks(model: nn.Module) -> dict[str, nn.Module]:
    """All residual blocks of a model by name, in its own order."""
    return {name: module for name, module in model.named_modules() if _is_block(module)}


def _is_block(module: nn.Module) -> bool:
    like_torchvision = all(hasattr(module, name) for name in ('conv1', 'conv2', SHORTCUT))
    return like_torchvision or isinstance(module, ResidualBlock)


def last_layer(block: nn.Module) -> nn.Module:
    """The convolution or BatchNorm that a block's residual branch ends with."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.SyncBatchNorm)
    layers = [m for m in block.children() if isinstance(m, kinds)]
    return next(m for m in reversed(layers) if m is not getattr(block, SHORTCUT, None))


def shortcut(block: nn.Module, x: Tensor) -> Tensor:
    """What a block adds to its residual branch when it reads ``x``."""
    if isinstance(block, ResidualBlock):
        return block.shortcut(x)
    projection = getattr(block, SHORTCUT)
    return x if projection is None else projection(x)


def without_residual(block: nn.Module) -> nn.Module:
    """A module that computes the block with its residual branch at zero.

    It is made of the block's own remaining layers, under their own names. Post-activation
    blocks read what a ReLU put out, so an identity shortcut leaves nothing to compute.
    """
    if isinstance(block, ResidualBlock):
        return block.without_residual()
    projection = getattr(block, SHORTCUT)
    return nn.Identity() if projection is None else Shortcut(projection)


def check_blocks(model: nn.Module, names: Iterable[str], prefix: str = '') -> None:
    """Refuse names of residual blocks that the model does not have.

    Args:
        model: A backbone, or a network around one.
        names: Without the prefix.
        prefix: What the names of the backbone's modules begin with in the model.

    Raises:
        UserError: There is no such residual block; names those there are.
    """
    known = [name.removeprefix(prefix) for name in residual_blocks(model)]
    stranger = next((name for name in names if name not in known), None)
    if stranger is not None:
        raise UserError(
            f'{type(getattr(model, "backbone", model)).__name__} has no residual block '
            f'{shown(stranger)}; it has {", ".join(known) or "none"}.'
        )


def remove_block(model: nn.Module, name: str) -> None:
    """Take the residual branch of block ``name`` out of the model, in place.

    Raises:
        UserError: There is no such residual block; names those there are.
    """
    check_blocks(model, [name])
    parent, _, child = name.rpartition('.')
    setattr(model.get_submodule(parent), child, without_residual(model.get_submodule(name)))
