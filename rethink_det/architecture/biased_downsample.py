"""``type='rethink_det.BiasedDownsampleResNet'``: mmdet's ResNet, projections with a bias.

Deviation: from arXiv 1512.03385 and torchvision, whose projection convolutions have none. The
code of arXiv 1810.05270 gives them one in the ResNet-50s of ThiNet (arXiv 1707.06342) and of
channel pruning by regression (arXiv 1707.06168), so its parameter counts contain it: 3840 in
all. In front of a BatchNorm it changes nothing else.
"""

from typing import Any

import torch
from torch import nn

from rethink_det.registered import build
from rethink_det.registry import MODELS


@MODELS.register_module(name='BiasedDownsampleResNet')
def biased_downsample_resnet(**settings: Any) -> nn.Module:
    """Build an ``mmdet.ResNet`` whose ``downsample`` convolutions have a bias.

    Args:
        **settings: Those of ``mmdet.ResNet``, such as ``depth``.
    """
    backbone = build(MODELS, dict(type='mmdet.ResNet', **settings))
    for name, module in backbone.named_modules():
        if '.downsample.' in name and isinstance(module, nn.Conv2d):
            bias = torch.empty_like(module.weight[:, 0, 0, 0])
            module.bias = nn.Parameter(bias, module.weight.requires_grad)
            module.reset_parameters()
    return backbone


biased_downsample_resnet.builds = 'mmdet.ResNet'  # whose settings detectors may set
