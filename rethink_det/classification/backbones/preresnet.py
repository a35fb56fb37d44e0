"""The CIFAR pre-activation ResNet with bottlenecks, of depth 9n + 2.

Paper: Identity Mappings in Deep Residual Networks (arXiv 1603.05027), section 4; the network
that Network Slimming (arXiv 1708.06519) prunes.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.bounds import check_count, is_int
from rethink_det.classification.backbones.conv_init import conv_and_norm
from rethink_det.classification.backbones.preact_block import EXPANSION, preact_stage
from rethink_det.errors import UserError
from rethink_det.registry import MODELS


@MODELS.register_module()
class PreResNet(BaseModule):
    """Pre-activation ResNet for 32x32 images: three stages, inner widths 16, 32, 64.

    Parameter names are ``conv1 layer1.0.bn1 layer1.0.conv1 ... bn``.

    Deviation: the projections read the raw input of their block, as in the code of arXiv
    1810.05270; in arXiv 1603.05027 they read it after the first BN-ReLU. There are no
    channel-selection layers: a pruned network's convolutions select for themselves.

    Args:
        depth: 9n + 2: 11, 20, 29, 56, 110, 164.
        base_channels: Width of the stem and inner width of the first stage.
        bn_weight: Initial scale of BatchNorm; 0.5 in arXiv 1708.06519.
        init_cfg: MMEngine's initializer; default Kaiming normal by fan-out.

    Attributes:
        conv1: The first convolution.
        layer1: The blocks of the first stage, followed by ``layer2`` and ``layer3``.
        bn: The last BatchNorm.

    Raises:
        UserError: For a depth that is not 9n + 2, or a width below 1.
    """

    def __init__(
        self,
        depth: int = 164,
        base_channels: int = 16,
        bn_weight: float = 1.0,
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        if not is_int(depth) or depth < 11 or (depth - 2) % 9:
            raise UserError(f'depth must be 9n + 2 (11, 20, 29, 56, 110, 164), got {depth}.')
        check_count('base_channels', base_channels)
        super().__init__(init_cfg or conv_and_norm(bn_weight))
        blocks, width = (depth - 2) // 9, base_channels
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.layer1 = preact_stage(width, width, blocks, 1, project_activation=False)
        for stage in (2, 3):
            inputs, width = width * EXPANSION, width * 2
            layer = preact_stage(inputs, width, blocks, 2, project_activation=False)
            self.add_module(f'layer{stage}', layer)
        self.bn = nn.BatchNorm2d(width * EXPANSION)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature maps of the three stages for ``(N, 3, H, W)``: strides 1, 2 and 4.

        The last one has passed the final BN-ReLU.
        """
        first = self.layer1(self.conv1(images))
        second = self.layer2(first)
        return first, second, F.relu(self.bn(self.layer3(second)), inplace=True)
