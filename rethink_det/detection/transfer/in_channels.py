"""The parts of a detector that read the backbone's feature maps, and how wide they are told."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rethink_det.architecture.network import without_memory
from rethink_det.errors import UserError
from rethink_det.registered import build
from rethink_det.registry import MODELS
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.readers import parts, set_in

CLASS_HEADS = ('bbox_head', 'mask_head', 'mask_iou_head', 'point_head')
"""Keys of the heads that tell the data set's classes apart. Others count something else: an RPN
head objects, a semantic head the classes of COCO stuff."""


def set_widths(model: Mapping, old: Sequence[int], new: Sequence[int]) -> list[Change]:
    """Tell whatever reads the backbone the widths it is going to read, in place.

    That is the neck, the first one of several; without a neck the heads and the RoI
    extractors themselves.

    Args:
        model: Config of a detector.
        old: Widths of the feature maps it was written for.
        new: Widths of those it is going to get.

    Returns:
        What changes.

    Raises:
        UserError: Something reads another number of maps, or its width cannot be set.
    """
    if model.get('neck'):
        place, first = next(parts(model, 'neck'))
        others = list(old) != list(new)
        if others and first.get('rfp_backbone'):
            raise UserError(
                f'model.{place}.rfp_backbone is a second backbone, whose maps are {list(old)} wide '
                f'as those of the first were: maps that are {list(new)} wide cannot be mixed with '
                'them. Take a config without a recursive feature pyramid, or prune inner layers '
                'alone.'
            )
        changes = set_in(first, 'in_channels', f'model.{place}', old, new, required=others)
        if others:
            _check_builds(first, place, new)
        return changes
    changes = []
    for key in ('rpn_head', 'bbox_head', 'panoptic_head'):
        for place, head in parts(model, key):
            changes += set_in(head, 'in_channels', f'model.{place}', old, new)
    roi_head = model.get('roi_head') or {}
    for key in ('bbox_roi_extractor', 'mask_roi_extractor'):
        for place, extractor in parts(roi_head, key):
            changes += set_in(extractor, 'out_channels', f'model.roi_head.{place}', old, new)
    if not roi_head.get('shared_head'):
        changes += set_roi_heads(roi_head, old[-1], new[-1])
    return changes


def _check_builds(neck: Mapping, place: str, widths: Sequence[int]) -> None:
    """Refuse a neck for which these widths will not do: GroupNorm wants them divisible, say."""
    try:
        without_memory(partial(build, MODELS, neck))
    except (ValueError, TypeError, AssertionError) as error:
        raise UserError(
            f'model.{place} ({neck.get("type")}) cannot be built for feature maps that are '
            f'{list(widths)} wide: {str(error) or type(error).__name__}'
        ) from error


def set_roi_heads(roi_head: Mapping, old: int | None, new: int) -> list[Change]:
    """Tell the box and mask heads the width of the regions they read, in place.

    Args:
        roi_head: Config of ``model.roi_head``.
        old: The width they were written for; ``None`` if it may be any.
        new: The width they are going to get.

    Returns:
        What changes.
    """
    changes = []
    for key in ('bbox_head', 'mask_head'):
        for place, head in parts(roi_head, key):
            before: Any = head.get('in_channels') if old is None else old
            changes += set_in(head, 'in_channels', f'model.roi_head.{place}', [before], [new])
    return changes
