"""The head of EfficientNets: one more convolution before the pool."""

from math import sqrt

from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.bounds import check_count
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

ACTIVATIONS = ('ReLU', 'ReLU6', 'SiLU')
"""Names in ``torch.nn``."""


@MODELS.register_module()
class ConvHead(BaseModule):
    """1 x 1 convolution, BatchNorm, activation, global average pool, dropout, one linear layer.

    The end of EfficientNet (arXiv 1905.11946, table 1, stage 9) and of MobileNetV2 (arXiv
    1801.04381, table 2): what a classifier has behind the last map that a detector reads. The
    defaults are those of EfficientNet-Lite. Initial weights are those of the authors' code:
    normal and uniform by the fan-out.

    Args:
        in_channels: Width of the feature map.
        num_classes: Number of classes.
        channels: Width of the convolution, which goes whole into every pruned architecture.
        activation: ``'ReLU6'``, or ``'SiLU'`` of the other EfficientNets, or ``'ReLU'``.
        dropout: Probability.
        norm_eps: What BatchNorm adds to the variance: TensorFlow's 1e-3, in MobileNetV2 1e-5.

    Attributes:
        conv: The convolution.
        bn: Its BatchNorm.
        act: The activation.
        pool: The average pool.
        fc: The linear layer.

    Raises:
        UserError: ``num_classes`` or ``channels`` is below 1, ``dropout`` not in 0 <= p < 1, or
            the activation is none of these.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        channels: int = 1280,
        activation: str = 'ReLU6',
        dropout: float = 0.2,
        norm_eps: float = 1e-3,
    ) -> None:
        check_count('num_classes', num_classes)
        check_count('channels', channels)
        if not 0 <= dropout < 1 or activation not in ACTIVATIONS:
            raise UserError(
                'ConvHead needs 0 <= dropout < 1 and an activation of '
                f'{", ".join(ACTIVATIONS)}; got {dropout} and {activation!r}.'
            )
        super().__init__(_initializers(num_classes))
        self.conv = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=norm_eps)
        self.act = getattr(nn, activation)()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, feature: Tensor) -> Tensor:
        """Scores ``(N, num_classes)`` of a feature map ``(N, in_channels, H, W)``."""
        feature = self.act(self.bn(self.conv(feature)))
        return self.fc(self.dropout(self.pool(feature).flatten(1)))


def _initializers(num_classes: int) -> list[dict]:
    bound = 1 / sqrt(num_classes)
    return [
        dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu'),
        dict(type='Uniform', layer='Linear', a=-bound, b=bound),
    ]
