"""Networks that other people's code calls by name: of torchvision, CIFAR ResNets, EfficientNets.

The networks of :mod:`~rethink_det.architecture.published` are those of papers; some of these
are the same. Six of those are known by their tensors, too.
"""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture, published
from rethink_det.architecture.blocks import SHORTCUT
from rethink_det.convert import foreign_models
from rethink_det.convert.tensor_names import COUNTER, renamed
from rethink_det.errors import UserError

_LINEAR = {'type': 'rethink_det.LinearHead', 'num_classes': 1000}
_MLP = {'type': 'rethink_det.MLPHead', 'num_classes': 1000}
_CIFAR = {'type': 'rethink_det.LinearHead', 'num_classes': 10}


def _imagenet(name: str, head: Mapping, **backbone: Any) -> PrunedArchitecture:
    source = f'torchvision.models.{name}'
    return PrunedArchitecture(backbone, head, (3, 224, 224), name=name, source=source)


def _resnet(name: str, depth: int, kind: str = 'ResNet', **settings: Any) -> PrunedArchitecture:
    settings = {'depth': depth, **settings, 'zero_init_residual': False}
    return _imagenet(name, _LINEAR, type=f'mmdet.{kind}', **settings)


def _cifar_resnet(depth: int) -> PrunedArchitecture:
    backbone = {'type': 'rethink_det.CifarResNet', 'depth': depth, 'shortcut': 'subsample'}
    source = 'akamaster/pytorch_resnet_cifar10'
    name = f'resnet{depth}-subsample'
    return PrunedArchitecture(backbone, _CIFAR, (3, 32, 32), name=name, source=source)


def _efficientnet_lite(number: int, side: int) -> PrunedArchitecture:
    """With TensorFlow's padding and BatchNorm, as the published weights need them."""
    model = f'tf_efficientnet_lite{number}'
    backbone = {'type': 'rethink_det.TimmBackbone', 'model_name': model}
    head = {'type': 'rethink_det.ConvHead', 'num_classes': 1000}
    name, source = f'efficientnet-lite{number}', f'timm.models.{model}'
    return PrunedArchitecture(backbone, head, (3, side, side), name=name, source=source)


TORCHVISION = {
    parent.name: parent
    for parent in (
        *(_resnet(f'resnet{depth}', depth) for depth in (18, 34, 50, 101, 152)),
        _resnet('resnext50_32x4d', 50, 'ResNeXt', groups=32, base_width=4),
        _resnet('resnext101_32x8d', 101, 'ResNeXt', groups=32, base_width=8),
        _resnet('resnext101_64x4d', 101, 'ResNeXt', groups=64, base_width=4),
        *(
            _imagenet(f'vgg{depth}{bn}', _MLP, type='rethink_det.VGG', depth=depth, norm=bool(bn))
            for depth in (11, 13, 16, 19)
            for bn in ('', '_bn')
        ),
    )
}
"""The unpruned networks that torchvision has weights of, by its names."""

AKAMASTER = {parent.name: parent for parent in map(_cifar_resnet, (20, 32, 44, 56, 110))}
"""CIFAR ResNets with shortcuts of arXiv 1512.03385, known by a head that is called ``linear``."""

EFFICIENTNET_LITE = {
    parent.name: parent for parent in map(_efficientnet_lite, range(5), (224, 240, 260, 280, 300))
}
"""EfficientNets without squeeze-and-excitation, known by lukemelas's names.

Under timm's names they need a base: its ``efficientnet_lite0`` differs from ``tf_`` by padding,
which no tensor tells.
"""

RETHINKING_VGG = ('vgg16-thinet-gap', 'vgg16-thinet-tiny')
"""Of the code of arXiv 1810.05270, known by one linear layer in a list, ``classifier.0``."""

RETHINKING_RESNET = (
    'resnet50-2x',
    'resnet50-thinet-30',
    'resnet50-thinet-50',
    'resnet50-thinet-70',
)
"""Of the same code, known by projections with a bias."""

PARENTS = {**TORCHVISION, **AKAMASTER, **EFFICIENTNET_LITE}


def load_base(source: PrunedArchitecture | Mapping | str | os.PathLike) -> PrunedArchitecture:
    """An architecture as :meth:`PrunedArchitecture.load` takes it, or by a name of ours here.

    Raises:
        UserError: There is no such architecture.
    """
    if isinstance(source, (PrunedArchitecture, Mapping)):
        return PrunedArchitecture.load(source)
    text = os.fspath(source)
    of_library = foreign_models.named(text)
    if of_library is not None:
        return of_library
    if text in PARENTS and text not in published.names():
        return PARENTS[text]
    if text not in published.names() and not os.path.isfile(text):
        raise UserError(
            f'No architecture {text!r}: neither a file nor one of {", ".join(published.names())}; '
            f'or of the foreign {", ".join(PARENTS)}; or timm.NAME or torchvision.NAME, whatever '
            'those libraries have.'
        )
    return PrunedArchitecture.load(text)


def identify(tensors: Mapping[str, Tensor], where: str | os.PathLike) -> PrunedArchitecture:
    """The network that foreign weights belong to; whatever its number of classes.

    It is unpruned, or one of :data:`RETHINKING_VGG` and :data:`RETHINKING_RESNET`.

    Raises:
        UserError: No known network has these tensors; names those that call theirs alike.
    """
    alike = []
    for name, parent in _candidates(tensors).items():
        own = shapes_of(parent)
        state = renamed(tensors, own, where)
        if {n for n in own if not n.endswith(COUNTER)} - set(state) or set(state) - set(own):
            continue
        parent = with_classes(parent, state)
        own = shapes_of(parent)
        if all(t.shape == own[n] for n, t in state.items()):
            return parent
        alike.append(name)
    raise UserError(
        f'{where} is no network that is known by its tensors'
        + (f' (those of {", ".join(alike)} are called alike, but have other shapes)' * bool(alike))
        + ': say by --base what it was before it was cut; timm.NAME and torchvision.NAME are all '
        'networks of these libraries.'
    )


def _candidates(tensors: Mapping[str, Tensor]) -> dict[str, PrunedArchitecture]:
    """The networks of the family that calls its tensors so, with as many layers with weights."""
    if any(name.endswith('_conv_stem.weight') for name in tensors):
        return EFFICIENTNET_LITE
    if pruned := _rethinkings(tensors):
        return {name: PrunedArchitecture.load(name) for name in pruned}
    akamaster = any(name.endswith('linear.weight') for name in tensors)
    depth = sum(t.dim() > 1 for name, t in tensors.items() if SHORTCUT not in name)
    known = AKAMASTER if akamaster else TORCHVISION
    return {name: parent for name, parent in known.items() if parent.backbone['depth'] == depth}


def _rethinkings(names: Collection[str]) -> tuple[str, ...]:
    """Published architectures whose authors alone call their tensors so."""
    if any(name.endswith(f'{SHORTCUT}.0.bias') for name in names):
        return RETHINKING_RESNET
    listed = [n for n in names if re.search(r'(^|\.)classifier\.\d+\.weight$', n)]
    alone = len(listed) == 1 and listed[0].endswith('classifier.0.weight')
    return RETHINKING_VGG if alone else ()


def read_otherwise(
    tensors: Mapping[str, Tensor], declared: PrunedArchitecture, where: str | os.PathLike
) -> PrunedArchitecture | None:
    """A known network that the tensors fit as well as the declared one, and that computes else.

    What no tensor tells (how a shortcut changes shape, which convolution of a block has the
    stride, how images are padded) decides all the same: weights read as the other network's score
    no better than chance.

    Args:
        tensors: Foreign ones; by their names the family is known that they come from.
        declared: What the network is said to have been before it was cut.
        where: The file, for messages.

    Returns:
        The first such network of that family; None if what is declared is one of them.
    """
    whole, own = declared.base, shapes_of(declared.base)
    state = renamed(tensors, own, where)
    known = (with_classes(parent, state) for parent in _candidates(tensors).values())
    alike = [parent for parent in known if shapes_of(parent) == own]
    if any(p.backbone == whole.backbone or _compute_alike(whole, p) for p in alike):
        return None
    return next(iter(alike), None)


@torch.no_grad()
def _compute_alike(one: PrunedArchitecture, other: PrunedArchitecture) -> bool:
    """Whether two networks with the same tensors give one image the same scores."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first, second = one.build_network().eval(), other.build_network().eval()
        for parameter in first.parameters():
            if parameter.dim() == 1:  # a branch that begins at zero would hide what it computes
                parameter.uniform_(0.5, 1.5)
        second.load_state_dict(first.state_dict())
        image = torch.randn(1, *one.input_shape)
        return torch.allclose(first(image), second(image), rtol=1e-3, atol=1e-5)


def shapes_of(architecture: PrunedArchitecture) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors of the network, by name."""
    return {n: tuple(t.shape) for n, t in architecture.skeleton().state_dict().items()}


def with_classes(parent: PrunedArchitecture, state: Mapping[str, Tensor]) -> PrunedArchitecture:
    """The same architecture with as many classes as the last layer of ``state`` scores."""
    head = parent.skeleton().head
    last = [name for name, module in head.named_modules() if isinstance(module, nn.Linear)][-1]
    scores = state.get(f'head.{last}.weight')
    known = parent.head.get('num_classes')
    if scores is None or not scores.dim() or known in (None, len(scores)):
        return parent
    return replace(parent, head={**parent.head, 'num_classes': len(scores)})
