"""How the published weights of known networks want their images: order, mean and deviation, size.

No tensor tells. timm says it in a network's ``pretrained_cfg``, torchvision in the transforms of
its weights; of the others it is in the code that trained them.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.packages import is_installed

IMAGENET = InputConvention('rgb', (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Of the statistics that torchvision normalises ImageNet by, on the 0..255 scale."""
TENSORFLOW_LITE = InputConvention('rgb', (127.0,) * 3, (128.0,) * 3)
"""Of tensorflow/tpu, models/official/efficientnet/lite, whose weights lukemelas's names bring."""
BY_SOURCE = {'akamaster/pytorch_resnet_cifar10': IMAGENET}
BY_NAME = {
    **{f'efficientnet-lite{number}': TENSORFLOW_LITE for number in range(5)},
    **dict.fromkeys(('vgg16-thinet-gap', 'vgg16-thinet-tiny', 'resnet50-2x'), IMAGENET),
    **{f'resnet50-thinet-{share}': IMAGENET for share in (30, 50, 70)},
}
"""Networks of which there are published weights of one origin alone."""


class Wanted(NamedTuple):
    """How images are normalised, and whose weights want it, in words."""

    convention: InputConvention
    whose: str


def wanted_by(base: PrunedArchitecture) -> Wanted | None:
    """What the published weights of a network want; None if it is not known.

    Args:
        base: The network, as :func:`~.known_networks.load_base` or
            :func:`~.known_networks.identify` gives it.
    """
    known = BY_NAME.get(base.name) or BY_SOURCE.get(base.source)
    if known is not None:
        return Wanted(known, f'who published {base.name}')
    library, _, name = base.source.partition('.models.')
    if library == 'timm' and is_installed(library):
        settings = vars(import_module('timm').get_pretrained_cfg(name) or object)
        return _of(settings, f"timm's {name}")
    if library == 'torchvision':
        preset = preset_of(name)
        return None if preset is None else _of(vars(preset), f"torchvision's {name}")
    return None


def preset_of(name: str) -> Any:
    """Transforms of torchvision's weights ``NAME`` or ``NAME.WEIGHTS``; None if there are none."""
    try:
        model, _, tag = name.partition('.')
        weights = import_module('torchvision.models').get_model_weights(model)
        return (weights[tag] if tag else weights.DEFAULT).transforms()
    except (ValueError, AttributeError, KeyError):  # no such network, or none with weights
        return None


def _of(settings: Mapping[str, Any], whose: str) -> Wanted | None:
    """On the scale of 0 to 255."""
    mean, std = settings.get('mean'), settings.get('std')
    if not mean or not std or {len(mean), len(std)} != {3}:
        return None
    scaled = {'mean': [255 * value for value in mean], 'std': [255 * value for value in std]}
    convention = InputConvention.from_dict({'channels': 'rgb', **scaled}, whose)
    return None if convention is None else Wanted(convention, whose)
