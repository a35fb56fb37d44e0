"""Libraries of networks by name: ``timm.NAME`` and ``torchvision.NAME`` as bases.

The backbone is the library's own network but for its last layer, which is a head of this package.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import without_memory
from rethink_det.convert.conventions import preset_of
from rethink_det.convert.foreign_tensors import AUXILIARY, Classifier, ForeignModel
from rethink_det.defaults import READ_HEADS
from rethink_det.errors import UserError, in_one_line
from rethink_det.packages import check_installed, is_installed

INPUT = 'classifier_input'
"""Setting of both backbones by which only the last layer is left out."""

TIMM, TORCHVISION = 'timm', 'torchvision'
PRUNED = '_pruned'
"""How timm calls its pruned variants, behind the name of the network that was pruned."""

BACKBONES = {TIMM: 'rethink_det.TimmBackbone', TORCHVISION: 'rethink_det.TorchvisionBackbone'}
"""By the library's name."""


def named(name: str) -> PrunedArchitecture | None:
    """The network that ``timm.NAME`` or ``torchvision.NAME`` means; None for any other name.

    Raises:
        UserError: As of :func:`foreign_model`.
    """
    library, _, model = name.partition('.')
    if library not in BACKBONES or not model:
        return None
    if library == TIMM:
        model = _parent(model)
    with_input = {'classifier_input': True}
    if library == TORCHVISION:
        whole = _whole(TORCHVISION, model)
        with_input = {} if _last_alone(whole) else with_input
        with_input |= {'transform_input': True} if hasattr(whole, 'transform_input') else {}
    backbone = {'type': BACKBONES[library], 'model_name': model, **with_input}
    return _described(library, backbone).architecture()


def _parent(model: str) -> str:
    """The network that one of timm's pruned variants was cut from; any other name is its own.

    timm's package has the widths of ``ecaresnet50d_pruned``, ``efficientnet_b1_pruned``, ...; here
    they are read off the weights, and said relative to what the network was.
    """
    bare, _, _ = model.partition('.')
    parent = bare.removesuffix(PRUNED)
    if parent == bare or not is_installed(TIMM) or not import_module(TIMM).is_model(parent):
        return model
    return parent


def foreign_model(backbone: Mapping) -> ForeignModel | None:
    """What a backbone's config means in the library that it is of.

    Returns:
        None if it is of none, or of timm's feature maps alone, which no head of timm's reads.

    Raises:
        UserError: The library is not installed, has no such network, or its head is none of
            :data:`rethink_det.defaults.READ_HEADS`.
    """
    library = next((name for name, kind in BACKBONES.items() if backbone['type'] == kind), None)
    if library is None or (library == TIMM and not backbone.get(INPUT)):
        return None
    return _described(library, backbone)


def _described(library: str, backbone: Mapping) -> ForeignModel:
    name, settings = backbone['model_name'], library_settings(backbone)
    model = _whole(library, name, **settings)
    classifier = (_of_timm if library == TIMM else _of_torchvision)(model, f'{library}.{name}')
    shape = _shape(model, name, settings)
    names = frozenset(model.state_dict())
    return ForeignModel(f'{library}.{name}', dict(backbone), classifier, shape, names)


def library_settings(backbone: Mapping) -> dict[str, Any]:
    """What of a backbone's config is the library's."""
    return {k: v for k, v in backbone.items() if k not in ('type', 'model_name', INPUT)}


def _shape(model: Any, name: str, settings: Mapping) -> tuple[int, int, int]:
    """Of the images that a network wants."""
    side = settings.get('img_size') or settings.get('image_size') or settings.get('input_size')
    if side is None and hasattr(model, 'pretrained_cfg'):
        return tuple(model.pretrained_cfg['input_size'])
    preset = preset_of(name)  # a vision transformer knows its own
    side = side or getattr(model, 'image_size', None) or (preset and preset.crop_size[0]) or 224
    return (3, *((side, side) if isinstance(side, int) else side[-2:]))


def _whole(library: str, name: str, **settings: Any) -> Any:
    """The library's own network, without memory where that can be."""
    return without_memory(lambda: whole_model(library, name, **settings))


def whole_model(library: str, name: str, **settings: Any) -> Any:
    """The library's own network, with weights of its own drawing.

    Raises:
        UserError: The library is not there, or does not make it.
    """
    check_installed(library, f'The base {name!r}')
    try:
        if library == TIMM:
            return import_module(TIMM).create_model(name, **settings)
        more = {'init_weights': False} if name in ('googlenet', 'inception_v3') else {}
        models = import_module('torchvision.models')
        return models.get_model(name, weights=None, **more, **settings)
    except Exception as error:  # whatever a library raises that is handed a name
        raise UserError(f'{library} has no network {name!r}: {in_one_line(error)}') from error


def _of_timm(model: Any, name: str) -> Classifier:
    named = model.pretrained_cfg.get('classifier') or ()
    layers = (named,) if isinstance(named, str) else tuple(named)
    pair = len(layers) == 2 and 'head_dist' in layers[1]
    if not layers or (len(layers) > 1 and not pair) or not all(_is_read(model, n) for n in layers):
        raise UserError(
            f'{name} classifies by {" and ".join(layers) or "nothing"}, which has no counterpart '
            f'here; heads that are read are {READ_HEADS}.'
        )
    norms = tuple(n for n in map(_norm_before, layers) if _has(model, n))
    bias = all(model.get_submodule(layer).bias is not None for layer in layers)
    tokens = pair and hasattr(model, 'dist_token')
    convolves = isinstance(model.get_submodule(layers[0]), nn.Conv2d)
    return Classifier(layers, norms, tokens, bias, convolves)


def _of_torchvision(model: Any, name: str) -> Classifier:
    last = _last_linear(model)
    if last is None:
        raise UserError(
            f'{name} classifies by maps of scores, which has no counterpart here; heads that are '
            f'read are {READ_HEADS}.'
        )
    return Classifier((last,), bias=model.get_submodule(last).bias is not None)


def _last_linear(model: nn.Module) -> str | None:
    """The last linear layer, if it is a direct part of the model or of its last part."""
    linear = [n for n, m in model.named_modules() if isinstance(m, nn.Linear)]
    own = [n for n in linear if not n.startswith(AUXILIARY)]
    part = [name for name, _ in model.named_children()][-1]
    return own[-1] if own and own[-1].partition('.')[0] == part else None


def _last_alone(model: nn.Module) -> bool:
    """Whether the last linear layer is the only one with weights in the last part."""
    *_, (_, part) = model.named_children()
    return sum(bool(list(m.parameters(recurse=False))) for m in part.modules()) == 1


def _has(model: nn.Module, name: str) -> bool:
    return any(name == known for known, _ in model.named_modules())


def _is_read(model: nn.Module, name: str) -> bool:
    layer = dict(model.named_modules()).get(name)
    conv = isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1)
    return isinstance(layer, nn.Linear) or conv


def _norm_before(layer: str) -> str:
    """What timm calls the BatchNorm in front of a linear layer, in one module with it."""
    return f'{layer.rpartition(".")[0]}.bn'


@torch.no_grad()
def check_same(model: ForeignModel, tensors: Mapping[str, Tensor], network: nn.Module) -> None:
    """Refuse a network that computes something else than the library's own with its weights.

    Args:
        model: What they are of.
        tensors: Of the whole network, under the library's names.
        network: What was made of it.

    Raises:
        UserError: The scores of an image differ.
    """
    library, _, name = model.name.partition('.')
    settings = library_settings(model.backbone)
    classes = len(network.state_dict()['head.fc.weight'])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        whole = whole_model(library, name, num_classes=classes, **settings)
        image = torch.randn(1, *model.input_shape)
    state = whole.state_dict()  # with the versions that some modules look for
    state.update({model.plain(n): t for n, t in tensors.items() if model.plain(n) in state})
    whole.load_state_dict(state)
    theirs, ours = whole.eval()(image), network.eval()(image)
    distance = float((theirs - ours).abs().max())
    if not distance <= 1e-3 * float(theirs.abs().max()):
        raise UserError(
            f'{model.name} scores an image otherwise with these weights than what was made of it '
            f'does (by {distance:.2g}): please report it.'
        )
