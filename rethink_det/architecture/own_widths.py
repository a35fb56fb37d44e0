"""Widths that a network keeps as numbers of its own, beside its layers.

No graph knows of them. After layers were cut, :func:`settle` sets those that are known here.
"""

from torch import nn


def settle(model: nn.Module) -> None:
    """Set the widths that modules split their maps by to those of their layers, in place.

    Known are the blocks of Res2Net (mmdet's and timm's ``width``: of each of the parts that
    ``convs`` read).
    """
    for module in model.modules():
        convs = getattr(module, 'convs', None)
        parts = list(convs) if isinstance(convs, nn.ModuleList) else []
        if hasattr(module, 'width') and parts and isinstance(parts[0], nn.Conv2d):
            vars(module)['width'] = parts[0].in_channels
