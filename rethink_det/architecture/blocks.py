"""Residual blocks: what they add, where their residual branch ends, what is left without it.

A residual block is a module that has a method ``without_residual`` (this package's), or one
built as torchvision's and mmdet's are: ``conv1``, ``conv2`` and ``downsample``, with a ReLU
after the addition.
"""

from torch import Tensor, nn

from rethink_det.errors import UserError

SHORTCUT = 'downsample'
"""Name of the projection on the shortcut, in this package as in torchvision and mmdet."""


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
    if hasattr(module, 'without_residual'):
        return True
    return all(hasattr(module, name) for name in ('conv1', 'conv2', SHORTCUT))


def last_layer(block: nn.Module) -> nn.Module:
    """The convolution or BatchNorm that a block's residual branch ends with."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.SyncBatchNorm)
    layers = [m for m in block.children() if isinstance(m, kinds)]
    return next(m for m in reversed(layers) if m is not getattr(block, SHORTCUT, None))


def shortcut(block: nn.Module, x: Tensor) -> Tensor:
    """What a block adds to its residual branch when it reads ``x``."""
    if hasattr(block, 'without_residual'):
        return block.shortcut(x)
    projection = getattr(block, SHORTCUT)
    return x if projection is None else projection(x)


def without_residual(block: nn.Module) -> nn.Module:
    """A module that computes the block with its residual branch at zero.

    It is made of the block's own remaining layers, under their own names. Post-activation
    blocks read what a ReLU put out, so an identity shortcut leaves nothing to compute.
    """
    if hasattr(block, 'without_residual'):
        return block.without_residual()
    projection = getattr(block, SHORTCUT)
    return nn.Identity() if projection is None else Shortcut(projection)


def remove_block(model: nn.Module, name: str) -> None:
    """Take the residual branch of block ``name`` out of the model, in place.

    Raises:
        UserError: There is no such residual block; names those there are.
    """
    blocks = residual_blocks(model)
    if name not in blocks:
        raise UserError(
            f'{type(model).__name__} has no residual block {name!r}; it has '
            f'{", ".join(blocks) or "none"}.'
        )
    parent, _, child = name.rpartition('.')
    setattr(model.get_submodule(parent), child, without_residual(blocks[name]))
