"""The tensors of a library's network under the names of this package.

Heads that are read: one linear layer; a 1 x 1 convolution in its place; BatchNorm and a linear
layer; and distilled pairs of these, whose scores are the mean of two in evaluation. A pair is
folded into the one layer that computes this mean.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.state_dicts import without_prefixes
from rethink_det.errors import UserError

NETWORK = 'backbone.network.'
"""What the names of such a network's tensors begin with here."""

AUXILIARY = ('aux1.', 'aux2.', 'AuxLogits.')
"""Heads that torchvision trains its Inceptions by, and that evaluate nothing."""


@dataclass(frozen=True)
class Classifier:
    """The last layer of a foreign network, or the pair of them.

    Attributes:
        layers: Names of the linear layers or convolutions: one, or two of a pair.
        norms: Names of the BatchNorms right before them, as many or none.
        tokens: Whether each layer of a pair reads a vector of its own.
        bias: Whether the layers have one.
        convolves: Whether the layers are 1 x 1 convolutions.
    """

    layers: tuple[str, ...]
    norms: tuple[str, ...] = ()
    tokens: bool = False
    bias: bool = True
    convolves: bool = False

    def head(self, num_classes: int) -> dict[str, Any]:
        """Its counterpart here: the config of a head."""
        if self.norms and len(self.layers) == 1:
            return {'type': 'rethink_det.NormHead', 'num_classes': num_classes}
        pixels = {'pixels': 2} if self.tokens else {}
        return {'type': 'rethink_det.LinearHead', 'num_classes': num_classes, **pixels}


@dataclass(frozen=True)
class ForeignModel:
    """A network of a library, and how it is called here.

    Attributes:
        name: With its library, ``'timm.resnet18'``.
        backbone: Registry config of its backbone.
        classifier: Where its last layer is.
        input_shape: ``(channels, height, width)`` of its images.
        tensors: What the library calls its tensors.
    """

    name: str
    backbone: Mapping[str, Any]
    classifier: Classifier
    input_shape: tuple[int, int, int]
    tensors: frozenset[str]

    def architecture(self) -> PrunedArchitecture:
        """What it is, unpruned, with 1000 classes."""
        library, _, model = self.name.partition('.')
        return PrunedArchitecture(
            self.backbone,
            self.classifier.head(1000),
            self.input_shape,
            name=self.name,
            source=f'{library}.models.{model}',
        )

    def name_of(self, tensor: str) -> str:
        """What a tensor is called here, or a mask; those of a pair are called by no name."""
        plain = self.plain(tensor)
        layer, _, leaf = plain.rpartition('.')
        if len(self.classifier.layers) == 1 and layer in self.classifier.layers:
            return f'head.fc.{leaf}'
        if len(self.classifier.layers) == 1 and layer in self.classifier.norms:
            return f'head.bn.{leaf}'
        return f'{NETWORK}{plain}'

    def plain(self, tensor: str) -> str:
        """The library's own name of a tensor, which may stand behind prefixes of wrappers."""
        return tensor if tensor in self.tensors else without_prefixes(tensor)

    def renamed(self, tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Tensors of the library under the names of this package, and what was done to them.

        Args:
            tensors: By the library's names, perhaps behind prefixes of wrappers; of a network
                that is whole or cut. Those under names of this package are left as they are.
        """
        if any(name.startswith(NETWORK) for name in tensors):
            return dict(tensors), []
        plain = {self.plain(name): tensor for name, tensor in tensors.items()}
        left = {n: t for n, t in plain.items() if not n.startswith(AUXILIARY)}
        gone = len(plain) - len(left)
        notes = [f'{gone} tensors of auxiliary heads are left out'] if gone else []
        parts = (*self.classifier.layers, *self.classifier.norms)
        head = {n: t for n, t in left.items() if n.rpartition('.')[0] in parts}
        rest = {self.name_of(n): t for n, t in left.items() if n not in head}
        if len(self.classifier.layers) == 2 and self._complete(head):
            notes.append('the two last layers of its distillation are one, which has their mean')
            return {**rest, **self._mean(head)}, notes
        own = {self.name_of(n): t.flatten(1) if t.dim() > 1 else t for n, t in head.items()}
        if not self.classifier.bias and 'head.fc.weight' in own:
            notes.append('its last layer has no bias: here it has one of zeros')
            own['head.fc.bias'] = torch.zeros(len(own['head.fc.weight']))
        return {**rest, **own}, notes

    def _complete(self, head: Mapping[str, Tensor]) -> bool:
        """Whether a head has all its tensors; where one is missing, loading names it."""
        layers = {f'{n}.{leaf}' for n in self.classifier.layers for leaf in ('weight', 'bias')}
        leaves = ('weight', 'bias', 'running_mean', 'running_var')
        return layers | {f'{n}.{leaf}' for n in self.classifier.norms for leaf in leaves} <= set(
            head
        )

    def restored(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inverse of :meth:`renamed`: the library's tensors of a network of this package.

        Both layers of a pair are the one that has their mean here, which scores the same.

        Raises:
            UserError: The last layer has a bias, and the library's has none.
        """
        head = {n: t for n, t in state.items() if n.startswith('head.')}
        rest = {n.removeprefix(NETWORK): t for n, t in state.items() if n not in head}
        bias = {'bias': head['head.fc.bias']}
        if not self.classifier.bias:
            if head['head.fc.bias'].any():
                raise UserError(f'{self.name} has no bias in its last layer, and this network has.')
            bias = {}
        weights: list[Tensor] = [head['head.fc.weight']] * len(self.classifier.layers)
        if self.classifier.tokens:
            weights = [2 * weights[0][:, token::2] for token in range(2)]
        for layer, weight in zip(self.classifier.layers, weights, strict=True):
            weight = weight[:, :, None, None] if self.classifier.convolves else weight
            rest.update({f'{layer}.{n}': t for n, t in {'weight': weight, **bias}.items()})
        for norm in self.classifier.norms:
            rest.update(_norm(norm, head, len(weights[0][0])))
        return rest

    def _mean(self, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The one layer that has the mean of a pair's scores."""
        norms = self.classifier.norms or (None, None)
        pairs = [_folded(own, *both) for both in zip(self.classifier.layers, norms, strict=True)]
        weights = torch.stack([weight for weight, _ in pairs], 2)
        weight = weights.flatten(1) / 2 if self.classifier.tokens else weights.mean(2)
        bias = torch.stack([bias for _, bias in pairs]).mean(0)
        return {'head.fc.weight': weight.float(), 'head.fc.bias': bias.float()}


def _of(tensors: Mapping[str, Tensor], layers: Iterable[str]) -> list[tuple[str, Tensor]]:
    """The tensors of layers, by what their names end in."""
    split = ((name.rpartition('.'), tensor) for name, tensor in tensors.items())
    return [(leaf, tensor) for (layer, _, leaf), tensor in split if layer in layers]


def _folded(own: Mapping[str, Tensor], layer: str, norm: str | None) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear layer with the BatchNorm before it in them."""
    weight = own[f'{layer}.weight'].flatten(1).double()
    bias = own[f'{layer}.bias'].double()
    if norm is not None:
        part = {leaf: tensor.double() for leaf, tensor in _of(own, [norm])}
        scale = part['weight'] / (part['running_var'] + nn.BatchNorm1d(1).eps).sqrt()
        bias = bias + weight @ (part['bias'] - part['running_mean'] * scale)
        weight = weight * scale
    return weight, bias


def _norm(name: str, head: Mapping[str, Tensor], width: int) -> dict[str, Tensor]:
    """The BatchNorm of a head, or where it was folded one that changes nothing."""
    own = {n.removeprefix('head.bn.'): t for n, t in head.items() if n.startswith('head.bn.')}
    if not own:
        plain = nn.BatchNorm1d(width)
        plain.get_buffer('running_var').sub_(plain.eps)
        own = {leaf: tensor.detach() for leaf, tensor in plain.state_dict().items()}
    return {f'{name}.{leaf}': tensor for leaf, tensor in own.items()}
