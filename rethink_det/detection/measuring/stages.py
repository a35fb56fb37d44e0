"""How wide a pruned backbone is at each of its resolutions, beside the unpruned one."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.transfer.feature_maps import PROBE_SIDE, feature_maps


def stage_widths(
    architecture: PrunedArchitecture, settings: Mapping[str, Any]
) -> list[dict[str, int]]:
    """The feature maps that a detector reads, and what is left of the layers that make them.

    Pruning within residual blocks leaves the maps as wide as they were, so the layers are told
    too: those with an output of the map's resolution.

    Args:
        architecture: Of the backbone.
        settings: What the detector builds it with besides: ``out_indices``, ...

    Returns:
        Per map ``stride``, its channels ``width`` and ``base_width`` of the unpruned backbone,
        and the output channels of all convolutions of that stride, ``inside`` and
        ``base_inside``.
    """
    build, base = (partial(one.build, **settings) for one in (architecture, architecture.base))
    inside, base_inside = _channels(build), _channels(base)
    return [
        {
            'stride': own.stride,
            'width': own.width,
            'base_width': unpruned.width,
            'inside': inside[own.stride],
            'base_inside': base_inside[own.stride],
        }
        for own, unpruned in zip(feature_maps(build), feature_maps(base), strict=True)
    ]


def _channels(build: Callable[[], nn.Module]) -> Counter[int]:
    """Output channels of all convolutions, added up by the stride of their output."""
    found: Counter[int] = Counter()

    def add(layer: nn.Module, inputs: Any, output: Tensor) -> None:
        found[round(PROBE_SIDE / output.shape[-2])] += output.shape[1]

    def watched() -> nn.Module:
        found.clear()
        backbone = build()
        for layer in backbone.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(add)
        return backbone

    feature_maps(watched)
    return found
