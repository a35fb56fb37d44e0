"""Backbones of torchvision: any of its classification models without its head."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.func import functional_call

from rethink_det.architecture.tracing import evaluating
from rethink_det.bounds import is_int
from rethink_det.classification.backbones.torchvision_init import RULES, draw_weights
from rethink_det.classification.backbones.torchvision_steps import HEADS, steps
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
            ``i``. Default: all of them, of a vision transformer the last patches and the token.
        **settings: Of torchvision's function of that name, what changes the network:
            ``image_size`` of vision transformers, ``input_size`` of MaxViT, ``transform_input``
            of GoogLeNet and Inception, which their published weights need.

    Raises:
        UserError: torchvision has no such model, does not take these settings, or the model has
            no such map.
    """

    def __init__(
        self, model_name: str, out_indices: Sequence[int] | None = None, **settings: Any
    ) -> None:
        super().__init__()
        self.network = _without_head(model_name, settings)
        self._zero_init = bool(settings.get('zero_init_residual'))
        self._places: tuple[int, ...] = ()
        places = self._places_of_maps(settings)
        tokens = hasattr(self.network, 'class_token')
        default = range(len(places))[-2:] if tokens else range(len(places))
        chosen = default if out_indices is None else out_indices
        if not chosen or any(not is_int(i) or not 0 <= i < len(places) for i in chosen):
            raise UserError(
                f'out_indices of {model_name!r} must be some of 0 to {len(places) - 1}, its maps, '
                f'got {list(chosen)}.'
            )
        self._places = tuple(places[i] for i in chosen)

    def init_weights(self) -> None:
        """Draw initial weights for the widths the network has *now*, by torchvision's rules."""
        draw_weights(self.network)
        for block in self.network.modules() if self._zero_init else ():
            last = getattr(block, 'bn3', getattr(block, 'bn2', None))
            if last is not None:
                nn.init.zeros_(last.weight)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """``(N, 3, H, W)`` to the chosen feature maps."""
        found = {}
        for place, feature in enumerate(steps(self.network, images)):
            if not self._places or place in self._places:
                found[place] = feature
            if self._places and place == max(self._places):
                break
        return tuple(found[place] for place in self._places or found)

    def _places_of_maps(self, settings: dict[str, Any]) -> list[int]:
        """At which steps its maps are made; nothing is computed."""
        tensors = [*self.named_parameters(), *self.named_buffers()]
        state = {name: torch.empty_like(tensor, device='meta') for name, tensor in tensors}
        size = settings.get('image_size') or settings.get('input_size') or 224
        height, width = size if isinstance(size, (tuple, list)) else (size, size)
        with evaluating(self), torch.no_grad():
            image = torch.empty(1, 3, height, width, device='meta')
            maps = functional_call(self, state, (image,))
        if hasattr(self.network, 'class_token'):
            return list(range(len(maps)))
        return _last_of_each_resolution([len(m[0, 0]) for m in maps])


class MNASNet(torchvision.models.MNASNet):
    """torchvision's, which takes a plain dict of weights, too, that is without a version."""

    _load_from_state_dict = nn.Module._load_from_state_dict


def _without_head(model_name: str, settings: dict[str, Any]) -> nn.Module:
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
    for name in {name for name, _ in network.named_children()} & set(HEADS):
        delattr(network, name)
    return network


def _last_of_each_resolution(sides: Sequence[int]) -> list[int]:
    """Places of the maps after which maps get coarser, and of the last one."""
    ends = [i for i in range(len(sides) - 1) if sides[i + 1] < FINER * sides[i]]
    return [*ends, len(sides) - 1]
