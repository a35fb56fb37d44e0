"""Classification heads."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from rethink_det.bounds import check_count, check_number, is_int
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

KAIMING = 'kaiming'
"""A standard deviation that follows from how many features a layer reads."""


@MODELS.register_module()
class LinearHead(BaseModule):
    """Global average pool, dropout and one linear layer, ``fc``.

    Args:
        in_channels: Width of the feature map.
        num_classes: Number of classes.
        dropout: Probability.
        pixels: Of the map, where it is no map of a picture but so many vectors, which the layer
            reads all: the class and the distillation token of ``rethink_det.TimmBackbone`` are 2.
        init_std: Standard deviation of the initial weights, with biases at 0: 0.01 in the
            VGGs of arXiv 1708.06519; ``'kaiming'``, the root of 2 over the features read (arXiv
            1502.01852), in the CIFAR ResNets of arXiv 1808.06866. Default: torch's own init.

    Attributes:
        pool: The average pool, if there is one.
        fc: The linear layer.

    Raises:
        UserError: ``num_classes`` or ``pixels`` is below 1, ``dropout`` not in 0 <= p < 1, or
            ``init_std`` negative or another word.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        init_std: float | str | None = None,
        dropout: float = 0.0,
        pixels: int = 1,
    ) -> None:
        check_count('num_classes', num_classes)
        check_count('pixels', pixels)
        check_dropout(dropout)
        super().__init__(None if init_std is None else [_normal(init_std)])
        self.pool = nn.Identity() if pixels > 1 else nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.fc = nn.Linear(in_channels * pixels, num_classes)

    def forward(self, feature: Tensor) -> Tensor:
        """Scores ``(N, num_classes)`` of a feature map ``(N, in_channels, H, W)``."""
        return self.fc(self.dropout(self.pool(feature).flatten(1)))


@MODELS.register_module()
class NormHead(BaseModule):
    """Global average pool, BatchNorm, dropout and one linear layer, ``fc``.

    The head of LeViT (arXiv 2104.01136) and of the networks that took it over.

    Args:
        in_channels: Width of the feature map.
        num_classes: Number of classes.
        dropout: Probability.

    Attributes:
        pool: The average pool.
        bn: The BatchNorm.
        fc: The linear layer.

    Raises:
        UserError: ``num_classes`` is below 1, or ``dropout`` not in 0 <= p < 1.
    """

    def __init__(self, in_channels: int, num_classes: int, dropout: float = 0.0) -> None:
        check_count('num_classes', num_classes)
        check_dropout(dropout)
        super().__init__([dict(type='TruncNormal', layer='Linear', std=0.02)])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.bn = nn.BatchNorm1d(in_channels)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(in_channels, num_classes)

    def forward(self, feature: Tensor) -> Tensor:
        """Scores ``(N, num_classes)`` of a feature map ``(N, in_channels, H, W)``."""
        return self.fc(self.dropout(self.bn(self.pool(feature).flatten(1))))


@MODELS.register_module()
class MLPHead(BaseModule):
    """Average pool and linear layers with ReLUs between them: the heads of VGG.

    The layers are ``classifier.N``, N counting linear, BatchNorm, ReLU and dropout. The
    defaults are the head of arXiv 1409.1556 under torchvision's names, ``classifier.0``,
    ``.3`` and ``.6``. The others of the literature, both as trained by arXiv 1810.05270:
    ``hidden=(512,), pool=1, norm=True, dropout=0`` of VGG-16 on CIFAR, and ``norm=True,
    dropout=0, bn_weight=0.5`` of the VGG-11 of arXiv 1708.06519 on ImageNet.

    Args:
        in_channels: Width of the feature map.
        num_classes: Number of classes.
        hidden: Widths of the hidden layers.
        pool: Side of the map that the pool leaves.
        norm: BatchNorm after every hidden linear layer.
        dropout: Probability; 0 for no dropout layers.
        bn_weight: Initial scale of BatchNorm.
        init_std: Standard deviation of the initial linear weights, or ``'kaiming'``, as of
            :class:`LinearHead`; biases start at 0.

    Attributes:
        classifier: The linear layers with what is between them.

    Raises:
        UserError: A width, ``pool`` or ``num_classes`` is below 1, ``dropout`` is not in
            0 <= p < 1, or ``init_std`` is negative or another word.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        hidden: Sequence[int] = (4096, 4096),
        pool: int = 7,
        norm: bool = False,
        dropout: float = 0.5,
        bn_weight: float = 1.0,
        init_std: float | str = 0.01,
    ) -> None:
        check_count('num_classes', num_classes)
        listed = isinstance(hidden, (list, tuple))
        if not listed or not all(is_int(n) and n > 0 for n in (pool, *hidden)):
            raise UserError(
                'hidden must be a list of widths and pool a width, whole numbers that must be at '
                f'least 1, got {hidden!r} and {pool!r}.'
            )
        check_dropout(dropout)
        constant = dict(type='Constant', layer='BatchNorm1d', val=bn_weight)
        super().__init__([_normal(init_std), constant])
        self.pool = nn.AdaptiveAvgPool2d(pool)
        layers: list[nn.Module] = []
        inputs = in_channels * pool**2
        for width in hidden:
            layers.append(nn.Linear(inputs, width))
            layers += [nn.BatchNorm1d(width)] if norm else []
            layers.append(nn.ReLU())
            layers += [nn.Dropout(dropout)] if dropout else []
            inputs = width
        self.classifier = nn.Sequential(*layers, nn.Linear(inputs, num_classes))

    def forward(self, feature: Tensor) -> Tensor:
        """Scores ``(N, num_classes)`` of a feature map ``(N, in_channels, H, W)``."""
        return self.classifier(self.pool(feature).flatten(1))


def check_dropout(dropout: float) -> None:
    """Refuse what is no probability of a dropout layer.

    Raises:
        UserError: Not in 0 <= p < 1.
    """
    if not 0 <= check_number('dropout', dropout) < 1:
        raise UserError(f'dropout must be in 0 <= p < 1, got {dropout}.')


def _normal(std: float | str) -> dict:
    if std == KAIMING:
        return dict(type='Kaiming', layer='Linear', mode='fan_in')
    if isinstance(std, str):
        raise UserError(f'init_std must be a number or {KAIMING!r}, got {std!r}.')
    return dict(type='Normal', layer='Linear', std=check_number('init_std', std, least=0))
