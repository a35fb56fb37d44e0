"""Backbones of timm: its feature maps, and if asked for what its own classifier reads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from rethink_det.bounds import is_int
from rethink_det.classification.backbones.timm_init import draw_weights
from rethink_det.classification.backbones.unused import freeze_unused
from rethink_det.errors import UserError, in_one_line
from rethink_det.registry import MODELS

NOT_HERE = ('pretrained', 'features_only', 'num_classes', 'checkpoint_path')
"""Settings of timm that say nothing of a backbone."""


@MODELS.register_module()
class TimmBackbone(nn.Module):
    """A network of timm without its classifier, as a classifier's or a detector's backbone.

    There are two ways to it. By itself it is timm's feature interface (``features_only``): maps
    ``(N, C, h, w)``, of transformers too, and nothing of the network that no map needs; what
    timm's own classifier reads is then not to be had. With ``classifier_input=True`` it is the
    whole network but for the last, linear layer, under timm's own names, and puts out what that
    layer reads, as a map of one pixel: any network of timm as timm has it, with its last norm and
    convolution, its pooling and class token. Of a distilled vision transformer the map has two
    pixels, the class and the distillation token.

    Heads that read it: ``rethink_det.LinearHead`` behind maps and behind ``classifier_input``;
    ``NormHead`` where timm's own head begins with a BatchNorm (EfficientViT, SHViT); ``ConvHead``
    behind the maps of an EfficientNet, whose last convolution it has; ``LinearHead(pixels=2)`` for
    the two tokens of a distilled transformer.

    Its parameters have timm's names behind ``network.``. It knows neither ``frozen_stages`` nor
    ``norm_eval``: all of it is trained, in every arm. (With BatchNorm kept at its statistics
    the gradients of EfficientNet-Lite0 were twelve times as large on ImageNet photographs.)
    timm is no dependency of this package.

    Args:
        model_name: As ``timm.list_models()`` has it, ``'resnet50'``.
        out_indices: Which of timm's feature maps to put out; for most networks map ``i`` has
            the stride ``2 ** (i + 1)``, so mmdet's ``(0, 1, 2, 3)`` is ``(1, 2, 3, 4)`` here; a
            transformer has one a block. Default: all of them; with ``classifier_input`` none, and
            the classifier's input, whose index is the number of maps, alone.
        classifier_input: See above.
        **settings: Of ``timm.create_model``, what changes the network.

    Attributes:
        network: timm's own network.

    Raises:
        UserError: timm is not installed, or does not make this network, or it has no such map.
    """

    def __init__(
        self,
        model_name: str,
        out_indices: Sequence[int] | None = None,
        classifier_input: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        try:
            timm = import_module('timm')
        except ImportError:
            raise UserError(
                f'Backbone {model_name!r} is one of timm, which is not installed: pip install timm.'
            ) from None
        foreign = next((key for key in NOT_HERE if key in settings), None)
        if foreign:
            raise UserError(
                f'{foreign} is no setting of the backbone {model_name!r}: leave it out.'
            )
        if classifier_input:
            settings['num_classes'] = 0
        else:
            settings['features_only'] = True
            settings |= {} if out_indices is None else {'out_indices': tuple(out_indices)}
        try:
            self.network: Any = timm.create_model(model_name, pretrained=False, **settings)
        except (RuntimeError, AssertionError, IndexError, TypeError) as error:
            raise UserError(
                f'timm cannot make a backbone of {model_name!r}: {in_one_line(error)}'
            ) from None
        self.model_name = model_name
        self._indices: tuple[int, ...] | None = None
        if classifier_input:
            self._indices = self._checked(out_indices)
            if max(self._indices) < len(self.network.feature_info):
                size = settings.get('img_size') or self.network.pretrained_cfg['input_size']
                freeze_unused(self, size)

    def _checked(self, out_indices: Sequence[int] | None) -> tuple[int, ...]:
        count = len(self.network.feature_info)
        chosen = (count,) if out_indices is None else tuple(out_indices)
        if not chosen or any(not is_int(i) or not 0 <= i <= count for i in chosen):
            raise UserError(
                f'out_indices of {self.model_name!r} must be some of 0 to {count - 1}, its maps, '
                f'and {count}, the input of its classifier, got {list(chosen)}.'
            )
        return chosen

    def init_weights(self) -> None:
        """Draw initial weights for the widths the network has *now*, by timm's rules."""
        draw_weights(self.network, self.model_name)

    def train(self, mode: bool = True) -> 'TimmBackbone':
        """Training or evaluation mode.

        Raises:
            UserError: SyncBN took the place of a BatchNorm that applied the activation as well.
        """
        for name, module in self.named_modules():
            if type(module) is nn.SyncBatchNorm and hasattr(module, 'act'):
                raise UserError(
                    f'sync_bn cannot be used with this backbone: {name} is a BatchNorm with an '
                    'activation in it, which would be lost. Leave sync_bn off.'
                )
        return super().train(mode)

    @contextmanager
    def every_map(self) -> Iterator[None]:
        """In it, it puts out whatever it has, so that everything in it leaves a trace."""
        chosen = self._indices
        if chosen is not None:
            self._indices = tuple(range(len(self.network.feature_info) + 1))
        try:
            yield
        finally:
            self._indices = chosen

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """``(N, 3, H, W)`` to the chosen feature maps, finest first."""
        if self._indices is None:
            return tuple(self.network(images))
        count = len(self.network.feature_info)
        maps = sorted(set(self._indices) - {count})
        if count not in self._indices:
            found = self.network.forward_intermediates(
                images, indices=maps, output_fmt='NCHW', stop_early=True, intermediates_only=True
            )
        elif maps:
            features, found = self.network.forward_intermediates(
                images, indices=maps, output_fmt='NCHW'
            )
        else:
            features, found = self.network.forward_features(images), []
        outputs = dict(zip(maps, found, strict=True))
        if count in self._indices:
            outputs[count] = self._read_by_classifier(features)
        return tuple(outputs[i] for i in self._indices)

    def _read_by_classifier(self, features: Tensor) -> Tensor:
        """What the last layer of timm's network reads, ``(N, C, 1, 1)``, or of two tokens."""
        if hasattr(self.network, 'dist_token'):
            return features[:, :2].transpose(1, 2).unsqueeze(2)
        read = self.network.forward_head(features, pre_logits=True)
        if isinstance(read, Tensor) and read.dim() == 4 and read.shape[2:] == (1, 1):
            return read
        if not isinstance(read, Tensor) or read.dim() != 2:
            raise UserError(
                f'{self.model_name!r} of timm classifies by more than one vector, which no head '
                'here does: leave classifier_input off.'
            )
        return read[:, :, None, None]
