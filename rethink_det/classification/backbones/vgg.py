"""VGG, for ImageNet and in the three CIFAR variants of the pruning literature.

Paper: Very Deep Convolutional Networks for Large-Scale Image Recognition (arXiv 1409.1556),
table 1, columns A, B, D and E.
"""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.bounds import check_count
from rethink_det.classification.backbones.conv_init import conv_and_norm
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
"""Convolutions per stage by depth, which counts the three linear layers too."""

WIDTHS = (1, 2, 4, 8, 8)
FANS = ('fan_out', 'fan_in')


@MODELS.register_module()
class VGG(BaseModule):
    """VGG: five stages of 3x3 convolutions, a 2x2 max pool after each.

    Parameter names are ``features.N``, N counting convolution, BatchNorm, ReLU and pool, as
    torchvision's. The networks of the literature, by their settings:

    ========================================  ====  =========  =========  =========  =======
    network                                   norm  conv_bias  last_pool  bn_weight  init
    ========================================  ====  =========  =========  =========  =======
    ImageNet (arXiv 1409.1556)                no    yes        yes                   fan_out
    ImageNet with BatchNorm                   yes   yes        yes        1          fan_out
    ImageNet, slimming (arXiv 1708.06519)     yes   yes        yes        0.5        fan_out
    CIFAR, filters and slimming, both as
    trained by arXiv 1810.05270               yes   no         no         0.5        fan_out
    CIFAR, weights (same)                     yes   yes        no         1          fan_in
    ========================================  ====  =========  =========  =========  =======

    Args:
        depth: 11, 13, 16 or 19.
        norm: BatchNorm after every convolution.
        conv_bias: Whether convolutions have a bias.
        last_pool: The fifth max pool. Without it a head's average pool, 2x2 for an image of
            32x32, takes its place.
        bn_weight: Initial scale of BatchNorm.
        init: Fan by which the convolutions' initial weights are scaled.
        base_channels: Width of the first stage; the others have 2, 4, 8 and 8 times as much.
        init_cfg: MMEngine's initializer; default Kaiming normal by ``init``, biases 0.

    Attributes:
        features: Convolutions, norms, activations and pools, in order.

    Raises:
        UserError: For another depth, a width below 1 or an unknown fan.
    """

    def __init__(
        self,
        depth: int = 16,
        norm: bool = True,
        conv_bias: bool = True,
        last_pool: bool = True,
        bn_weight: float = 1.0,
        init: str = 'fan_out',
        base_channels: int = 64,
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        if depth not in CONVOLUTIONS:
            raise UserError(f'depth must be one of {tuple(CONVOLUTIONS)}, got {depth}.')
        if init not in FANS:
            raise UserError(f'init must be one of {FANS}, got {init!r}.')
        check_count('base_channels', base_channels)
        super().__init__(init_cfg or conv_and_norm(bn_weight, init))
        layers, inputs, self.ends = [], 3, []
        for stage, count in enumerate(CONVOLUTIONS[depth]):
            for _ in range(count):
                width = base_channels * WIDTHS[stage]
                layers += _convolution(inputs, width, norm, conv_bias)
                inputs = width
            if last_pool or stage < 4:
                layers.append(nn.MaxPool2d(2))
            self.ends.append(len(layers) - 1)
        self.features = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Feature maps at the end of the five stages for ``(N, 3, H, W)``.

        Strides are 2, 4, 8, 16 and 32; the last is 16 without the fifth pool.
        """
        x, maps = images, []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.ends:
                maps.append(x)
        return tuple(maps)


def _convolution(inputs: int, width: int, norm: bool, bias: bool) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(inputs, width, 3, padding=1, bias=bias)]
    if norm:
        layers.append(nn.BatchNorm2d(width))
    # Not in place: a hook on the layer before must see what that layer put out.
    return [*layers, nn.ReLU()]
