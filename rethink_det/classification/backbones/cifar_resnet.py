"""The CIFAR ResNet of depth 6n + 2.

Paper: Deep Residual Learning for Image Recognition (arXiv 1512.03385), section 4.2.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.bounds import check_count, is_int
from rethink_det.classification.backbones.conv_init import conv_and_norm
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

SHORTCUTS = ('avgpool', 'subsample', 'subsample-append')
"""How a shortcut shrinks a map, and where it adds channels, see :class:`CifarResNet`."""


class Shortcut(nn.Module):
    """A shortcut without parameters (option A): changes the shape, learns nothing.

    Args:
        new_channels: How many zero channels the output has more than the input.
        stride: By which the map shrinks.
        mode: One of :data:`SHORTCUTS`.
    """

    def __init__(self, new_channels: int, stride: int, mode: str) -> None:
        super().__init__()
        self.new_channels, self.stride, self.mode = new_channels, stride, mode

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C + new_channels, H / stride, W / stride)``."""
        if self.stride == 1 and not self.new_channels:
            return x
        if self.mode == 'avgpool':
            return F.pad(F.avg_pool2d(x, self.stride), (0, 0, 0, 0, 0, self.new_channels))
        before = self.new_channels // 2 if self.mode == 'subsample' else 0
        pad = (0, 0, 0, 0, before, self.new_channels - before)
        return F.pad(x[:, :, :: self.stride, :: self.stride], pad)


class BasicBlock(nn.Module):
    """conv-BN-ReLU-conv-BN, add, ReLU, with a parameter-free shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, mode: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.identity = Shortcut(width - inputs, stride, mode)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` to ``(N, width, H / stride, W / stride)``."""
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        return F.relu(out + self.shortcut(x), inplace=True)

    def shortcut(self, x: Tensor) -> Tensor:
        """What the block adds to its residual branch when it reads ``x``."""
        return self.identity(x)

    def without_residual(self) -> nn.Module:
        """A module that computes this block with its residual branch at zero."""
        return nn.Sequential(self.identity, nn.ReLU())


@MODELS.register_module()
class CifarResNet(BaseModule):
    """ResNet for 32x32 images: three stages of n basic blocks, widths 16, 32, 64.

    Parameter names are ``conv1 bn1 layer1.0.conv1 ...``, as torchvision's.

    Args:
        depth: 6n + 2: 20, 32, 44, 56, 110.
        base_channels: Width of the first stage; later stages double it.
        shortcut: How a shortcut changes shape without parameters. ``'avgpool'``: average
            pool, zero channels appended (what the experiments of arXiv 1810.05270 train,
            whose code however cuts these shortcuts from the graph; here gradients flow).
            ``'subsample'``: every second pixel, zero channels on both sides (arXiv
            1512.03385 and most public weights). ``'subsample-append'``: every second pixel,
            zero channels appended (the code of soft filter pruning, arXiv 1808.06866).
        init_cfg: MMEngine's initializer; default Kaiming normal by fan-out, BN at 1 and 0.

    Attributes:
        conv1: The first convolution.
        bn1: Its BatchNorm.

    Raises:
        UserError: For a depth that is not 6n + 2, a width below 1 or an unknown shortcut.
    """

    def __init__(
        self,
        depth: int = 56,
        base_channels: int = 16,
        shortcut: str = 'avgpool',
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        if not is_int(depth) or depth < 8 or (depth - 2) % 6:
            raise UserError(f'depth must be 6n + 2 (8, 14, 20, 32, 56, 110), got {depth}.')
        if shortcut not in SHORTCUTS:
            raise UserError(f'shortcut must be one of {SHORTCUTS}, got {shortcut!r}.')
        check_count('base_channels', base_channels)
        super().__init__(init_cfg or conv_and_norm())
        self.conv1 = nn.Conv2d(3, base_channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(base_channels)
        inputs = base_channels
        for stage in range(3):
            width, blocks = base_channels * 2**stage, []
            for block in range((depth - 2) // 6):
                stride = 2 if stage and not block else 1
                blocks.append(BasicBlock(inputs, width, stride, shortcut))
                inputs = width
            self.add_module(f'layer{stage + 1}', nn.Sequential(*blocks))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature maps of the three stages for ``(N, 3, H, W)``: strides 1, 2 and 4."""
        x = F.relu(self.bn1(self.conv1(images)), inplace=True)
        features = []
        for stage in (self.layer1, self.layer2, self.layer3):
            x = stage(x)
            features.append(x)
        return tuple(features)
