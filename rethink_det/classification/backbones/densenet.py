"""The CIFAR DenseNet, plain and BC.

Paper: Densely Connected Convolutional Networks (arXiv 1608.06993), section 3.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.bounds import check_count, check_number, is_int
from rethink_det.classification.backbones.conv_init import conv_and_norm
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

BOTTLENECK = 4
"""Width of a bottleneck, in units of the growth rate."""


class DenseLayer(nn.Module):
    """BN-ReLU-conv3x3 with ``growth`` outputs, appended to the input.

    With a bottleneck a BN-ReLU-conv1x1 with ``4 * growth`` outputs goes before.
    """

    def __init__(self, inputs: int, growth: int, bottleneck: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        if bottleneck:
            self.conv1 = nn.Conv2d(inputs, BOTTLENECK * growth, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(BOTTLENECK * growth)
            self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, 3, padding=1, bias=False)
        else:
            self.conv1 = nn.Conv2d(inputs, growth, 3, padding=1, bias=False)
        self.bottleneck = bottleneck

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` to ``(N, inputs + growth, H, W)``."""
        new = self.conv1(F.relu(self.bn1(x), inplace=True))
        if self.bottleneck:
            new = self.conv2(F.relu(self.bn2(new), inplace=True))
        return torch.cat([x, new], 1)


class Transition(nn.Module):
    """BN-ReLU-conv1x1 and a 2x2 average pool."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` to ``(N, width, H / 2, W / 2)``."""
        return F.avg_pool2d(self.conv1(F.relu(self.bn1(x), inplace=True)), 2)


@MODELS.register_module()
class DenseNet(BaseModule):
    """DenseNet for 32x32 images: three dense blocks, transitions between them.

    Parameter names are ``conv1 dense1.0.bn1 dense1.0.conv1 ... trans1.bn1 trans1.conv1 ...
    bn``. DenseNet-40 has neither bottlenecks nor compression, DenseNet-BC-100 has both.

    Args:
        depth: 3n + 4, with bottlenecks 6n + 4, for n layers in every dense block.
        growth: Channels that each layer appends; the stem has twice as many.
        compression: Share of the channels that a transition keeps; 0.5 in a BC.
        bottleneck: Whether layers have a 1x1 convolution before the 3x3.
        bn_weight: Initial scale of BatchNorm; 0.5 in arXiv 1708.06519.
        init_cfg: MMEngine's initializer; default Kaiming normal by fan-out.

    Attributes:
        conv1: The first convolution.
        bn: The last BatchNorm.

    Raises:
        UserError: For a depth of another form, a growth below 1, or a compression that is not
            above 0 and at most 1.
    """

    def __init__(
        self,
        depth: int = 40,
        growth: int = 12,
        compression: float = 1.0,
        bottleneck: bool = False,
        bn_weight: float = 1.0,
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        layers = _layers_per_block(depth, bottleneck)
        check_count('growth', growth)
        check_number('compression', compression)
        if not 0 < compression <= 1:
            raise UserError(f'compression must be above 0 and at most 1, got {compression}.')
        super().__init__(init_cfg or conv_and_norm(bn_weight))
        width = 2 * growth
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        for block in (1, 2, 3):
            widths = range(width, width + layers * growth, growth)
            dense = nn.Sequential(*(DenseLayer(inputs, growth, bottleneck) for inputs in widths))
            self.add_module(f'dense{block}', dense)
            width += layers * growth
            if block < 3:
                kept = int(width * compression)
                self.add_module(f'trans{block}', Transition(width, kept))
                width = kept
        self.bn = nn.BatchNorm2d(width)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature maps of the three dense blocks for ``(N, 3, H, W)``: strides 1, 2 and 4.

        The last one has passed the final BN-ReLU.
        """
        first = self.dense1(self.conv1(images))
        second = self.dense2(self.trans1(first))
        third = self.dense3(self.trans2(second))
        return first, second, F.relu(self.bn(third), inplace=True)


def _layers_per_block(depth: int, bottleneck: bool) -> int:
    step, form, examples = (6, '6n + 4', '10, 40, 100') if bottleneck else (3, '3n + 4', '7, 40')
    if not is_int(depth) or depth < step + 4 or (depth - 4) % step:
        kind = 'with' if bottleneck else 'without'
        raise UserError(f'depth {kind} bottlenecks must be {form} ({examples}), got {depth}.')
    return (depth - 4) // step
