"""The feature maps a backbone gives a detector: how wide they are and how coarse."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import feature_shapes, without_memory
from rethink_det.errors import UserError
from rethink_det.transfer.backbone_arguments import backbone_arguments

PROBE_SIDE = 128
"""Side of the square image that strides are read off; any that 32 divides would do."""

OF_EACH_STAGE = ('strides', 'dilations')
"""Settings that have an entry for each of ``num_stages``."""

MOST_MAPS = 16
"""More feature maps than any backbone has."""


@dataclass(frozen=True)
class FeatureMap:
    """One output of a backbone.

    Attributes:
        width: Channels.
        stride: Pixels of the image to one of the map.
    """

    width: int
    stride: int


def feature_maps(build: Callable[[], nn.Module]) -> list[FeatureMap]:
    """The maps of the backbone that ``build`` makes, without its weights where that can be.

    Raises:
        UserError: The backbone cannot be built, or cannot run on a square image.
    """
    shapes = without_memory(lambda: _shapes(build()))
    return [FeatureMap(channels, round(PROBE_SIDE / height)) for channels, height, _ in shapes]


def _shapes(backbone: Any) -> list[tuple[int, int, int]]:
    """Those of the maps; a backbone of a recursive pyramid puts out the image before them."""
    shapes = feature_shapes(backbone, (3, PROBE_SIDE, PROBE_SIDE))
    return shapes[1:] if getattr(backbone, 'output_img', False) else shapes


def place_outputs(
    shape: PrunedArchitecture,
    settings: Mapping[str, Any],
    wanted: list[FeatureMap],
    selectable: bool = True,
) -> tuple[dict[str, Any], list[FeatureMap]]:
    """Let a backbone put out maps of the strides that a detector reads.

    What stage an index of ``out_indices`` means is each backbone family's own affair, so the
    index is found by the stride.

    Args:
        shape: The backbone's architecture.
        settings: What it is built with; ``out_indices`` as the detector had it.
        wanted: The maps of the backbone that the detector was written for.
        selectable: Whether the backbone has ``out_indices``.

    Returns:
        The settings, with other ``out_indices`` if need be, and the maps.

    Raises:
        UserError: It has no maps of these strides: it is of another family.
    """
    strides = [found.stride for found in wanted]
    settings = _ended(shape, settings)
    maps, refused = [], None
    try:
        maps = feature_maps(partial(shape.build, **settings))
    except UserError as error:
        if not selectable:
            raise
        refused = error
    if [found.stride for found in maps] == strides:
        return dict(settings), maps
    available = _strides(shape, settings) if selectable else [found.stride for found in maps]
    once = len(set(strides)) == len(strides)
    if refused is not None and not available:  # whatever is read of it
        raise refused
    if not selectable or not once or not set(strides) <= set(available):
        raise UserError(
            f'A {shape.backbone["type"]} is of another family than the backbone of the config: '
            f'its feature maps have the strides {_list(available)}, the detector reads '
            f'{_list(strides)}.'
        )
    places = {stride: index for index, stride in enumerate(available)}
    indices = {**settings, 'out_indices': tuple(places[stride] for stride in strides)}
    settings = _ended(shape, indices)
    try:
        return settings, feature_maps(partial(shape.build, **settings))
    except UserError as error:
        raise UserError(f'The detector reads the strides {_list(strides)} only. {error}') from None


def _ended(shape: PrunedArchitecture, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without the stages after the last one that is read, where the class can.

    That is the ResNet family, which is built of so many stages; elsewhere they stay, and where
    weight masks are for all of them.
    """
    kind = shape.backbone['type']
    read = settings.get('out_indices') or ()
    known = {**backbone_arguments(kind), **shape.backbone, **settings}
    stages = known.get('num_stages')
    if shape.masks or not isinstance(stages, int) or not read or max(read) not in range(stages - 1):
        return dict(settings)
    count = max(read) + 1
    each = {key: tuple(known[key][:count]) for key in OF_EACH_STAGE if known.get(key)}
    ended = {**settings, 'num_stages': count, **each}
    try:
        feature_maps(partial(shape.base.build, **ended))
    except UserError:  # another family's stages
        return dict(settings)
    return ended


def _strides(shape: PrunedArchitecture, settings: Mapping[str, Any]) -> list[int]:
    """Stride of the map of every index that ``out_indices`` may have."""
    found: list[int] = []
    for index in range(MOST_MAPS):
        # Unpruned: what only an unused stage reads cannot be cut.
        build = partial(shape.base.build, **{**settings, 'out_indices': (index,)})
        try:
            (only,) = feature_maps(build)
        except (ValueError, IndexError):  # there is no such index
            break
        found.append(only.stride)
    return found


def _list(strides: list[int]) -> str:
    return ', '.join(map(str, strides)) or 'none'
