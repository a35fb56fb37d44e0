"""Backbones of torchvision: any of its classification models without its head."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import torchvision
from torch import Tensor, nn

from rethink_det.bounds import is_int
from rethink_det.classification.backbones.torchvision_init import RULES, draw_weights
from rethink_det.classification.backbones.torchvision_steps import (
    HEADS,
    LAYERS_IN_HEAD,
    read_by_classifier,
    steps,
)
from rethink_det.classification.backbones.unused import freeze_unused, outputs_without_memory
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

NOT_HERE = ('weights', 'pretrained', 'progress', 'num_classes', 'dropout')
"""Settings of torchvision that say nothing of a backbone."""

OF_MODELS = {
    'googlenet': {'aux_logits': False, 'init_weights': False},
    'inception_v3': {'aux_logits': False, 'init_weights': False},
}
"""Settings without which a model has further heads and draws weights twice, slowly."""

FINER = 2 / 3
"""Of the map before. A map with a smaller side is of the next resolution; a convolution without
padding takes less off."""

SCORE_MAPS = ('SqueezeNet',)
"""Classes without a last linear layer: their scores are the means of maps."""


@MODELS.register_module()
class TorchvisionBackbone(nn.Module):
    """A classification model of torchvision without its head, for a classifier or a detector.

    Its parameters have torchvision's names behind ``network.``. Its maps are the last ones of each
    resolution, finest first. Those of a vision transformer are the patches after each block,
    ``(N, C, h, w)``, the last ones normalised, and behind them the class token that torchvision's
    head reads, as a map of one pixel. It knows neither ``frozen_stages`` nor ``norm_eval``: all
    of it is trained, in every arm.

    Args:
        model_name: As ``torchvision.models.list_models(torchvision.models)`` has it.
        out_indices: Which of the maps to put out; for most networks map ``i`` has the stride
            ``2 ** (i + 1)``, in a VGG ``2 ** i``, and of a vision transformer it is that of block
            ``i``. Default: all of them, of a vision transformer the last patches and the token;
            with ``classifier_input`` that alone.
        classifier_input: Keep all of the head but its last linear layer, and put out what that
            layer reads as one more map, of one pixel, behind the others. Heads that have more
            than a pool and that layer are those of AlexNet, ConvNeXt, MaxViT, MobileNetV3 and VGG.
        **settings: Of torchvision's function of that name, what changes the network:
            ``image_size`` of vision transformers, ``input_size`` of MaxViT, ``transform_input``
            of GoogLeNet and Inception, which their published weights need.

    Attributes:
        network: torchvision's own network.

    Raises:
        UserError: torchvision has no such model, does not take these settings, or the model has
            no such map.
    """

    def __init__(
        self,
        model_name: str,
        out_indices: Sequence[int] | None = None,
        classifier_input: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.network = _without_head(model_name, classifier_input, settings)
        self._zero_init = bool(settings.get('zero_init_residual'))
        self._tokens = hasattr(self.network, 'class_token')
        self._reads = classifier_input and not self._tokens
        self._places: tuple[int, ...] = ()
        size = settings.get('image_size') or settings.get('input_size') or 224
        self._all = self._places_of_maps(size)
        chosen = self._default() if out_indices is None else tuple(out_indices)
        count = len(self._all)
        if not chosen or any(not is_int(i) or not 0 <= i < count for i in chosen):
            raise UserError(
                f'out_indices of {model_name!r} must be some of 0 to {count - 1}, its maps, got '
                f'{list(chosen)}.'
            )
        self._places = tuple(self._all[i] for i in chosen)
        if max(chosen) + 1 < count:
            freeze_unused(self, size)

    def _default(self) -> tuple[int, ...]:
        every = tuple(range(len(self._all)))
        return every[-1:] if self._reads else every[-2:] if self._tokens else every

    def init_weights(self) -> None:
        """Draw initial weights for the widths the network has *now*, by torchvision's rules."""
        draw_weights(self.network)
        for block in self.network.modules() if self._zero_init else ():
            last = getattr(block, 'bn3', getattr(block, 'bn2', None))
            if last is not None:
                nn.init.zeros_(last.weight)

    @contextmanager
    def every_map(self) -> Iterator[None]:
        """In it, it puts out whatever it has, so that everything in it leaves a trace."""
        chosen = self._places
        self._places = tuple(self._all)
        try:
            yield
        finally:
            self._places = chosen

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """``(N, 3, H, W)`` to the chosen feature maps."""
        found = {}
        for place, feature in enumerate(self._steps(images)):
            if not self._places or place in self._places:
                found[place] = feature
            if self._places and place == max(self._places):
                break
        return tuple(found[place] for place in self._places or found)

    def _steps(self, images: Tensor) -> Iterator[Tensor]:
        for feature in steps(self.network, images):
            yield feature
        if self._reads:
            yield read_by_classifier(self.network, feature)

    def _places_of_maps(self, size: int | Sequence[int]) -> list[int]:
        """At which steps its maps are made; nothing is computed."""
        maps = outputs_without_memory(self, size)
        if self._tokens:
            return list(range(len(maps)))
        sides = [len(feature[0, 0]) for feature in maps]
        last = len(sides) - 1
        if not self._reads:
            return _last_of_each_resolution(sides)
        return [*_last_of_each_resolution(sides[:-1]), last]


class MNASNet(torchvision.models.MNASNet):
    """torchvision's, which takes a plain dict of weights, too, that is without a version."""

    _load_from_state_dict = nn.Module._load_from_state_dict


def _without_head(model_name: str, last_alone: bool, settings: dict[str, Any]) -> nn.Module:
    """The model without its head, or without the last layer alone."""
    network = _model(model_name, settings)
    kind = type(network).__name__
    if last_alone and kind in SCORE_MAPS:
        raise UserError(
            f'{model_name!r} has no linear layer at its end whose input could be put out: leave '
            'classifier_input off.'
        )
    if last_alone and kind in LAYERS_IN_HEAD:
        network.classifier[-1] = nn.Identity()
        return network
    for name in {name for name, _ in network.named_children()} & set(HEADS):
        delattr(network, name)
    return network


def _model(model_name: str, settings: dict[str, Any]) -> Any:
    known = torchvision.models.list_models(torchvision.models)
    if model_name not in known:
        near = get_close_matches(model_name, known, cutoff=0.3) or known[:3]
        raise UserError(
            f'torchvision has no classification model {model_name!r}; of its {len(known)} are like '
            f'it: {", ".join(near)}.'
        )
    foreign = next((key for key in NOT_HERE if key in settings), None)
    if foreign:
        raise UserError(f'{foreign} is no setting of the backbone {model_name!r}: leave it out.')
    try:
        network = torchvision.models.get_model(
            model_name, weights=None, **OF_MODELS.get(model_name, {}), **settings
        )
    except (TypeError, ValueError, AssertionError) as error:
        raise UserError(f'torchvision cannot make a backbone of {model_name!r}: {error}') from error
    if type(network).__name__ not in RULES:
        raise UserError(
            f'{model_name!r} of torchvision is a {type(network).__name__}, of which it is not '
            f'known how it runs without its head; known are {", ".join(RULES)}.'
        )
    if isinstance(network, torchvision.models.MNASNet):
        network.__class__ = MNASNet
    return network


def _last_of_each_resolution(sides: Sequence[int]) -> list[int]:
    """Places of the maps after which maps get coarser, and of the last one."""
    ends = [i for i in range(len(sides) - 1) if sides[i + 1] < FINER * sides[i]]
    return [*ends, len(sides) - 1]
