"""How a classification model of torchvision runs up to its head, step by step."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEADS = ('avgpool', 'dropout', 'flatten', 'fc', 'classifier', 'head', 'heads')
"""What torchvision calls the parts of a model that stand behind its last feature map."""


FLATTENING = ('AlexNet', 'MobileNetV3', 'VGG')
"""Classes whose own code flattens the pooled map for ``classifier``."""

LAYERS_IN_HEAD = (*FLATTENING, 'ConvNeXt', 'MaxVit')
"""Classes whose head has more than a pool and one linear layer."""


def steps(network: Any, images: Tensor) -> Iterator[Tensor]:
    """What each step of a model makes of images ``(N, 3, H, W)``, as maps ``(N, C, h, w)``.

    The steps of a vision transformer are its blocks, and in the end its class token.

    Args:
        network: A model of one of the families of :data:`.torchvision_init.RULES`, with or without
            its head.
        images: Normalised, on the model's device.
    """
    if type(network).__name__ == 'VisionTransformer':
        yield from _blocks(network, images)
        return
    last_are_channels = type(network).__name__ == 'SwinTransformer'
    x = network._transform_input(images) if hasattr(network, '_transform_input') else images
    parts = list(_parts(network))
    for place, part in enumerate(parts):
        x = part(x)
        behind = place + 1 == len(parts)
        if behind and type(network).__name__ == 'DenseNet':
            x = F.relu(x)
        yield x.permute(0, 3, 1, 2) if last_are_channels and not behind else x


def read_by_classifier(network: Any, feature: Tensor) -> Tensor:
    """What the last layer of a model reads, as a map ``(N, C, 1, 1)``.

    Args:
        network: The model, whose last layer may be gone; what else is in its head has stayed.
        feature: Its last map.
    """
    kind = type(network).__name__
    if kind not in LAYERS_IN_HEAD:
        return F.adaptive_avg_pool2d(feature, 1)
    x = network.avgpool(feature) if hasattr(network, 'avgpool') else feature
    x = x.flatten(1) if kind in FLATTENING else x
    return network.classifier(x)[:, :, None, None]


def _parts(network: nn.Module) -> Iterator[nn.Module]:
    """The modules that run one after another, those of its lists one by one."""
    for name, part in network.named_children():
        if isinstance(part, (nn.Sequential, nn.ModuleList)) and name not in HEADS:
            yield from part
        elif name not in HEADS:
            yield part


def _blocks(network: Any, images: Tensor) -> Iterator[Tensor]:
    """Of a ``VisionTransformer``: each block's patches, the last ones normalised, and the class.

    The widths are those of its layers, not those that it was made with, as torchvision's own
    ``forward`` has them.
    """
    patches = network.conv_proj(images)
    height, width = patches.shape[2:]
    tokens = patches.flatten(2).transpose(1, 2)
    first = network.class_token.expand(len(tokens), -1, -1)
    encoder = network.encoder
    tokens = encoder.dropout(torch.cat([first, tokens], 1) + encoder.pos_embedding)
    for place, block in enumerate(encoder.layers):
        tokens = block(tokens)
        if place + 1 == len(encoder.layers):
            tokens = encoder.ln(tokens)
        yield tokens[:, 1:].transpose(1, 2).unflatten(2, (height, width))
    yield tokens[:, 0, :, None, None]
