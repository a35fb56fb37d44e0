"""The pre-activation bottleneck block, and stages of it.

Paper: Identity Mappings in Deep Residual Networks (arXiv 1603.05027), section 4.1, figure 4e.
"""

import torch.nn.functional as F
from torch import Tensor, nn

EXPANSION = 4
"""Output channels of a bottleneck, in units of its inner width."""


class PreActBottleneck(nn.Module):
    """BN-ReLU-conv1x1, BN-ReLU-conv3x3 (with the stride), BN-ReLU-conv1x1, add.

    A block that changes the shape has a 1x1 convolution ``downsample``, without BatchNorm, on
    its shortcut; the others have ``downsample = None``.

    Args:
        inputs: Channels of the input.
        width: Inner width; the output has four times as many channels.
        stride: Of the 3x3 convolution and of the shortcut.
        projection: Whether there is a ``downsample``.
        project_activation: Whether ``downsample`` reads the input after the first BN-ReLU
            (the original networks) instead of the raw input (arXiv 1810.05270 on CIFAR).
    """

    def __init__(
        self, inputs: int, width: int, stride: int, projection: bool, project_activation: bool
    ) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.downsample = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if projection else None
        self.project_activation = project_activation

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` to ``(N, 4 * width, H / stride, W / stride)``."""
        out = F.relu(self.bn1(x), inplace=True)
        if self.downsample is not None:
            x = self.downsample(out if self.project_activation else x)
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out), inplace=True))
        out = self.conv3(F.relu(self.bn3(out), inplace=True))
        return x + out

    def shortcut(self, x: Tensor) -> Tensor:
        """What the block adds to its residual branch when it reads ``x``."""
        return self.without_residual()(x)

    def without_residual(self) -> nn.Module:
        """A module that computes this block with its residual branch at zero.

        It is made of this block's own remaining layers, under their own names.
        """
        if self.downsample is None:
            return nn.Identity()
        left = nn.Sequential()
        if self.project_activation:
            left.add_module('bn1', self.bn1)
            left.add_module('relu', nn.ReLU(inplace=True))
        left.add_module('downsample', self.downsample)
        return left


def preact_stage(
    inputs: int, width: int, blocks: int, stride: int, project_activation: bool
) -> nn.Sequential:
    """Bottlenecks of one width; the first projects and has the stride.

    Args:
        inputs: Channels of the input.
        width: Inner width of the blocks.
        blocks: How many.
        stride: Of the first block.
        project_activation: As :class:`PreActBottleneck`.
    """
    first = PreActBottleneck(inputs, width, stride, True, project_activation)
    others = (
        PreActBottleneck(width * EXPANSION, width, 1, False, project_activation)
        for _ in range(blocks - 1)
    )
    return nn.Sequential(first, *others)
