"""The ImageNet pre-activation ResNet with bottlenecks.

Paper: Identity Mappings in Deep Residual Networks (arXiv 1603.05027), section 5; the network
that Sparse Structure Selection (arXiv 1707.01213) prunes.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.bounds import check_count
from rethink_det.classification.backbones.conv_init import conv_and_norm
from rethink_det.classification.backbones.preact_block import EXPANSION, preact_stage
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks per stage by depth."""


@MODELS.register_module()
class PreActResNet(BaseModule):
    """Pre-activation ResNet for ImageNet: four stages, inner widths 64, 128, 256, 512.

    The stem is conv7x7-BN-ReLU-maxpool. Projections read the input of their block after its
    first BN-ReLU. Parameter names are torchvision's, but that ``downsample`` is a single
    convolution and ``bn`` the final BatchNorm.

    Args:
        depth: 50, 101 or 152.
        base_channels: Width of the stem and inner width of the first stage.
        bn_weight: Initial scale of BatchNorm.
        init_cfg: MMEngine's initializer; default Kaiming normal by fan-out.

    Attributes:
        conv1: The first convolution.
        bn1: Its BatchNorm.
        bn: The last BatchNorm.

    Raises:
        UserError: For another depth, or a width below 1.
    """

    def __init__(
        self,
        depth: int = 50,
        base_channels: int = 64,
        bn_weight: float = 1.0,
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        if depth not in BLOCKS:
            raise UserError(f'depth must be one of {tuple(BLOCKS)}, got {depth}.')
        check_count('base_channels', base_channels)
        super().__init__(init_cfg or conv_and_norm(bn_weight))
        inputs = base_channels
        self.conv1 = nn.Conv2d(3, inputs, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        for stage, blocks in enumerate(BLOCKS[depth]):
            width, stride = base_channels * 2**stage, 2 if stage else 1
            layer = preact_stage(inputs, width, blocks, stride, project_activation=True)
            self.add_module(f'layer{stage + 1}', layer)
            inputs = width * EXPANSION
        self.bn = nn.BatchNorm2d(inputs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Feature maps of the four stages for ``(N, 3, H, W)``: strides 4, 8, 16 and 32.

        The last one has passed the final BN-ReLU.
        """
        x = F.relu(self.bn1(self.conv1(images)), inplace=True)
        first = self.layer1(F.max_pool2d(x, 3, stride=2, padding=1))
        second = self.layer2(first)
        third = self.layer3(second)
        return first, second, third, F.relu(self.bn(self.layer4(third)), inplace=True)
