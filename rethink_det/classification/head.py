"""Classification heads."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.registry import MODELS


@MODELS.register_module()
class LinearHead(BaseModule):
    """Global average pool and one linear layer, ``fc``, with torch's default init.

    Args:
        in_channels: Width of the feature map.
        num_classes: Number of classes.
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_channels, num_classes)

    def forward(self, feature: Tensor) -> Tensor:
        """Scores ``(N, num_classes)`` of a feature map ``(N, in_channels, H, W)``."""
        return self.fc(self.pool(feature).flatten(1))
