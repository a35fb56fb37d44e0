"""Foreign checkpoints: where their tensors are, and what those are called here."""

import os
import re
from collections.abc import Collection, Mapping
from typing import TypeVar

import torch
from torch import Tensor

from rethink_det.architecture.blocks import SHORTCUT
from rethink_det.architecture.network import BACKBONE, HEAD
from rethink_det.architecture.state_dicts import (
    no_tensors,
    state_in,
    tensors_in,
    without_prefixes,
)
from rethink_det.convert import efficientnet
from rethink_det.errors import UserError

HEADS = ('fc', 'linear', 'classifier', 'head', 'head.fc', 'head.layers.head')
"""What other code calls the one linear layer of a head, here ``head.fc``.

It may stand in a list, ``classifier.0`` in the VGG-GAP of arXiv 1810.05270.
"""

COUNTER = 'num_batches_tracked'
"""Of a BatchNorm: a whole number, and older checkpoints have none."""

INDICES = ('relative_position_index', 'attention_bias_idxs')
"""Whole numbers that transformers keep among their weights: where a bias stands in its table."""

T = TypeVar('T')


def tensors_of(
    checkpoint: Mapping, where: str | os.PathLike, ema: bool = False
) -> dict[str, Tensor]:
    """The tensors of a checkpoint, under their own names.

    Args:
        checkpoint: A bare state dict, or one under a key of
            :data:`~rethink_det.architecture.state_dicts.WRAPPERS`.
        where: Its file, for messages.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: It has no tensors, or some that are no dense floating point numbers.
    """
    tensors = tensors_in(state_in(checkpoint, where, ema)[0])
    if not tensors:
        raise UserError(no_tensors(where))
    for name, tensor in tensors.items():
        whole = name.endswith((COUNTER, *INDICES))
        number = tensor.is_floating_point() or whole or tensor.dtype == torch.bool
        if not number or tensor.is_quantized or tensor.layout != torch.strided:
            raise UserError(
                f'{where}: {name} is a {tensor.layout} tensor of {tensor.dtype}; only dense '
                'floating point weights can be converted.'
            )
    return tensors


def renamed(items: Mapping[str, T], own: Collection[str], where: str | os.PathLike) -> dict[str, T]:
    """The same items under the names of :class:`~rethink_det.architecture.network.Network`.

    Args:
        items: By foreign tensor name.
        own: Names of the network's tensors; what is none of them keeps its name.
        where: The file, for messages.

    Raises:
        UserError: Two foreign names mean the same tensor.
    """
    named: dict[str, T] = {}
    for name, item in items.items():
        new = own_name(name, own)
        if new in named:
            raise UserError(f'{where} has the tensor {new} twice, once as {name}.')
        named[new] = item
    return named


def own_name(name: str, own: Collection[str]) -> str:
    """What the tensor ``name`` is called here, among the names ``own``."""
    if name in own:
        return name
    plain = without_prefixes(name)
    layer, _, leaf = plain.rpartition('.')
    candidates = [plain, BACKBONE + plain, HEAD + plain, f'{BACKBONE}{efficientnet.TIMM}{plain}']
    if re.sub(r'\.\d+$', '', layer) in HEADS:
        candidates.append(f'head.fc.{leaf}')
    # VGG and PreResNet in the code of arXiv 1708.06519 and 1810.05270.
    if plain.startswith('feature.'):
        candidates.append(f'{BACKBONE}features.{plain.removeprefix("feature.")}')
    candidates.append(BACKBONE + plain.replace(f'.{SHORTCUT}.0.', f'.{SHORTCUT}.'))
    candidates += efficientnet.own_names(plain, own, BACKBONE)
    return next((name for name in candidates if name in own), plain)


def own_layer(layer: str, own: Collection[str]) -> str | None:
    """What the layer ``layer`` is called in architectures; ``None`` if there is no such."""
    name = own_name(f'{layer}.weight', own)
    return layer_of(name) if name in own else None


def layer_of(weight: str) -> str:
    """The layer whose weight is called ``weight`` here."""
    return weight.removeprefix(BACKBONE).removesuffix('.weight')


def weight_of(layer: str) -> str:
    """Inverse of :func:`layer_of`."""
    return f'{layer}.weight' if layer.startswith(HEAD) else f'{BACKBONE}{layer}.weight'
