"""A classification network as this package sees it: a backbone and a head."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from rethink_det.architecture.tracing import evaluating, one_image_will_do
from rethink_det.errors import UserError, in_one_line, shown
from rethink_det.packages import refuse_missing
from rethink_det.registered import build
from rethink_det.registry import MODELS

BACKBONE, HEAD = 'backbone.', 'head.'
"""What the names of a network's tensors begin with. Architectures name the backbone's layers
without, as the backbone does, and the head's with it."""

RUNTIME_KEYS = ('init_cfg', 'pretrained', 'frozen_stages', 'norm_eval', 'with_cp', 'out_indices')
"""Backbone settings that change neither shape nor initial distribution.

They belong to a training run, not to an architecture.
"""

Layer = nn.Conv2d | nn.Linear
"""What has output channels that can go, and inputs that another layer makes."""

PACKED = 'in_proj'
"""The layer within :class:`torch.nn.MultiheadAttention` that makes queries, keys and values: its
weights have no module of their own."""

T = TypeVar('T')


def named_layers(model: nn.Module) -> Iterator[tuple[str, Layer]]:
    """All convolutions and linear layers by name, in the model's order.

    The projection of an attention of torch is a linear layer, too, that shares its weights.
    """
    for name, module in model.named_modules():
        if isinstance(module, Layer):
            yield name, module
        elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            yield f'{name}.{PACKED}'.removeprefix('.'), _projection(module)


def _projection(attention: nn.MultiheadAttention) -> nn.Linear:
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device='meta')
    layer.weight = weight
    layer.bias = bias
    return layer


def weight_of(layer: str) -> str:
    """The name of a layer's weight.

    Args:
        layer: A name of :func:`named_layers`.
    """
    packed = layer.rpartition('.')[2] == PACKED
    return f'{layer}_weight' if packed else f'{layer}.weight'


class Network(nn.Module):
    """Backbone and head under the parameter names of a classifier's checkpoint.

    The input is an image batch ``(N, C, H, W)``, the output class scores ``(N, classes)``.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Class scores of ``images``."""
        return self.head(last_feature(self.backbone(images)))


def module_name(layer: str, prefix: str = BACKBONE) -> str:
    """The module name of a layer in a model whose backbone has that prefix."""
    return layer if layer.startswith(HEAD) else prefix + layer


def last_feature(features: Tensor | Sequence[Tensor]) -> Tensor:
    """The deepest feature map of a backbone's output."""
    return all_features(features)[-1]


def all_features(features: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """All feature maps of a backbone's output, which is one of them or several."""
    return [features] if isinstance(features, Tensor) else list(features)


def build_backbone(config: Mapping) -> nn.Module:
    """Build a backbone from its registry config.

    Raises:
        UserError: If the type is unknown or refuses its arguments.
    """
    backbone = _build('backbone', _with_all_maps(config))
    if type(backbone).__module__.startswith('mmpretrain.'):
        backbone.register_forward_hook(_vectors_as_maps)
    return backbone


def _vectors_as_maps(backbone: nn.Module, inputs: Any, features: Any) -> Any:
    """What mmpretrain's transformers and ConvNeXts put out, ``(N, C)``, as maps of one pixel."""
    if isinstance(features, Tensor):
        return features[:, :, None, None] if features.dim() == 2 else features
    return tuple(_vectors_as_maps(backbone, inputs, feature) for feature in features)


def _with_all_maps(config: Any) -> Any:
    """A config that puts out the maps of all its stages where it has fewer than the usual four.

    Which maps are put out is no part of an architecture (:data:`RUNTIME_KEYS`), and mmdet's
    default counts four stages.
    """
    if not isinstance(config, Mapping) or 'out_indices' in config:
        return config
    stages = config.get('num_stages')
    if not isinstance(stages, int) or not 0 < stages < 4:
        return config
    return {**config, 'out_indices': tuple(range(stages))}


def build_head(config: Mapping, backbone: nn.Module, input_shape: Sequence[int]) -> nn.Module:
    """Build a head for the width that ``backbone`` puts out for ``input_shape``.

    Raises:
        UserError: If the type is unknown or refuses its arguments, or ``backbone`` cannot
            run on such an input.
    """
    settings = dict(config)
    settings.setdefault('in_channels', feature_widths(backbone, input_shape)[-1])
    return _build('head', settings)


def build_network(backbone: Mapping, head: Mapping, input_shape: Sequence[int]) -> Network:
    """Build both, as one network; the backbone runs once, to see how wide it is in the end.

    Raises:
        UserError: As of the two above.
    """
    built = build_backbone(backbone)
    return trained_whole(Network(built, build_head(head, built, input_shape)))


def trained_whole(network: Network) -> Network:
    """The network, in which ``train()`` puts every BatchNorm into training mode.

    mmdet's backbones keep theirs in evaluation mode (``norm_eval``), as a detector with few images
    a step needs it; a classifier whose statistics are never updated learns next to nothing.
    """
    backbone: Any = network.backbone
    if hasattr(backbone, 'norm_eval'):
        backbone.norm_eval = False
    return network


def _build(kind: str, config: Mapping) -> nn.Module:
    if not isinstance(config, Mapping):
        raise UserError(f'A {kind} config is a dict, got {shown(config)}.')
    if 'type' not in config:
        raise UserError(f"A {kind} config needs a 'type', got the keys {sorted(config)}.")
    try:
        return build(MODELS, dict(config))
    except Exception as error:  # whatever a class raises that is handed arguments of a file
        refuse_missing(error, f'The {kind} {shown(config.get("type"))}')
        text = f'The {kind} {dict(config)}'
        text = text if len(text) < 300 else f'{text[:300]}...'
        raise UserError(f'{text} cannot be built: {in_one_line(error)}') from error


def without_memory(build: Callable[[], T]) -> T:
    """What ``build`` makes, on the meta device where that can be: its weights have no memory.

    A network that computes with values while it is built or first run cannot be made so, nor one
    with constants that no state dict has: it is made once more, with real weights.

    Args:
        build: Makes something of modules; is called a second time if the first one fails.
    """
    try:
        with torch.device('meta'):
            built = build()
    except (RuntimeError, UserError) as error:
        if not _of_torch(error):
            raise  # a mistake whatever the device
        return build()
    return build() if isinstance(built, nn.Module) and _has_constants(built) else built


def _of_torch(error: BaseException | None) -> bool:
    """Whether torch itself failed, whoever told of it then."""
    while isinstance(error, UserError):
        error = error.__cause__
    return isinstance(error, RuntimeError)


def _has_constants(network: nn.Module) -> bool:
    """Whether there are tensors in a network that its state dict lacks."""
    own = (vars(module).values() for module in network.modules())
    buffers = (module._non_persistent_buffers_set for module in network.modules())
    return any(buffers) or any(isinstance(value, Tensor) for values in own for value in values)


def feature_widths(backbone: nn.Module, input_shape: Sequence[int]) -> list[int]:
    """Channels of every feature map, read off a forward pass in evaluation mode.

    Raises:
        UserError: If ``backbone`` cannot run on such an input.
    """
    return [channels for channels, _, _ in feature_shapes(backbone, input_shape)]


def feature_shapes(backbone: nn.Module, input_shape: Sequence[int]) -> list[tuple[int, int, int]]:
    """``(channels, height, width)`` of every feature map of one image, in evaluation mode.

    Args:
        backbone: On any device; on ``meta`` nothing is computed.
        input_shape: ``(channels, height, width)`` of the image.

    Raises:
        UserError: If ``backbone`` cannot run on such an input.
    """
    features = all_features(outputs_of(backbone, input_shape))
    return [(f.shape[1], f.shape[2], f.shape[3]) for f in features]


@torch.no_grad()
def outputs_of(network: nn.Module, input_shape: Sequence[int]) -> Any:
    """What a network puts out for one black image, in evaluation mode.

    Args:
        network: On any device; on ``meta`` nothing is computed.
        input_shape: ``(channels, height, width)`` of the image.

    Raises:
        UserError: If ``network`` cannot run on such an input.
    """
    weight = next(network.parameters())
    images = torch.zeros(1, *input_shape, device=weight.device, dtype=weight.dtype)
    try:
        with evaluating(network), one_image_will_do(network):
            return network(images)
    except Exception as error:  # as above: a network of settings that do not fit each other
        raise UserError(
            f'{type(network).__name__} cannot run on an input of {tuple(input_shape)}: '
            f'{in_one_line(error)}'
        ) from error
