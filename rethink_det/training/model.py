"""What hooks ask of a runner's model."""

from fnmatch import fnmatchcase
from typing import TypeVar

from mmengine.model import BaseModel, BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import BACKBONE

WRAPPED = ('detector', 'student', 'teacher')
"""What mmdet's trackers and semi-supervised detectors call the detectors in them."""

Layer = TypeVar('Layer', bound=nn.Module)


def model_of(runner: Runner) -> BaseModel:
    """The model without what wraps it for distributed training, or for several views of an image.

    MMEngine loads weights into what is wrapped, too.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.module if isinstance(model, BaseTTAModel) else model


def backbone_of(model: nn.Module) -> tuple[str, nn.Module]:
    """The backbone and the prefix of its names; the whole model if it has no backbone."""
    name, detector = next(iter(detectors_of(model).items()))
    backbone = getattr(detector, 'backbone', None)
    return ('', model) if backbone is None else (name + BACKBONE, backbone)


def detectors_of(model: nn.Module) -> dict[str, nn.Module]:
    """What has the backbone, under the prefix of its names: the model itself, or what it wraps.

    A tracker wraps a detector, a semi-supervised one wraps it twice. Whatever has no backbone
    counts as a whole.
    """
    children = dict(model.named_children())
    inside = {} if 'backbone' in children else {n: children.get(n) for n in WRAPPED}
    found = {f'{n}.': one for n, one in inside.items() if hasattr(one, 'backbone')}
    return {n: one for n, one in found.items() if one is not None} or {'': model}


def backbone_layers(
    model: nn.Module, kind: type[Layer] | tuple[type[Layer], ...], pattern: str = '*'
) -> dict[str, Layer]:
    """Layers of the backbone, in its own order, under their names in the whole model.

    Args:
        model: A classifier, a detector, or a backbone alone.
        kind: Class or classes of the layers.
        pattern: Of names within the backbone, ``'layer1.*'``.
    """
    prefix, backbone = backbone_of(model)
    return {
        prefix + name: layer
        for name, layer in backbone.named_modules()
        if isinstance(layer, kind) and fnmatchcase(name, pattern)
    }


def architecture_of(model: nn.Module) -> PrunedArchitecture | None:
    """What the model, or else its backbone, says it is."""
    own = getattr(model, 'architecture', None)
    return own or getattr(backbone_of(model)[1], 'architecture', None)
