"""What reads a pruned backbone is told its widths, and stays what it was for the whole one."""

from collections.abc import Mapping, MutableMapping, Sequence
from copy import deepcopy

from rethink_det.detection.transfer.in_channels import set_widths
from rethink_det.detection.transfer.narrowed_neck import NARROWED, follows_inputs
from rethink_det.registered import is_type
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.feature_maps import FeatureMap
from rethink_det.transfer.neck_outputs import output_widths
from rethink_det.transfer.readers import changed_widths, parts, set_in

_HEADS = ('rpn_head', 'bbox_head', 'panoptic_head', 'mask_head')


def tell_widths(
    model: Mapping, old: Sequence[int], whole: Sequence[FeatureMap], found: Sequence[FeatureMap]
) -> list[Change]:
    """Tell whatever reads the backbone the widths it is going to read, in place.

    Args:
        model: Config of a detector.
        old: Widths of the feature maps it was written for.
        whole: Maps of the new backbone before it was pruned.
        found: Those of the pruned one.

    Returns:
        What changes.

    Raises:
        UserError: As of :func:`.in_channels.set_widths`.
    """
    wide, narrow = [one.width for one in whole], [one.width for one in found]
    place, neck = next(parts(model, 'neck'), ('', {}))
    told = neck.get('in_channels')
    if wide == narrow or not isinstance(told, Sequence) or len(told) != len(wide):
        return set_widths(model, old, narrow)
    where = f'model.{place}.in_channels'
    both = [changed_widths(told, old, widths, where) for widths in (wide, narrow)]
    if not follows_inputs(neck, *both):
        return set_widths(model, old, narrow)
    changes = set_widths(model, old, wide)
    before = output_widths(neck, whole)
    inner = deepcopy(dict(neck))
    neck.clear()
    neck.update(
        type=NARROWED, neck=inner, whole=wide, widths=narrow, strides=[m.stride for m in found]
    )
    kept = f'for {narrow}, and as it was for {wide} behind the layers that read them'
    changes.append(Change(f'model.{place}', inner.get('type'), kept))
    after = output_widths(neck, found)
    if after != before:
        for key in _HEADS:
            for head_place, head in parts(model, key):
                changes += set_in(head, 'in_channels', f'model.{head_place}', before, after)
    return changes


def restore_neck(model: MutableMapping) -> list[int] | None:
    """Put a neck that was narrowed back to what it was for the whole backbone, in place.

    Returns:
        The widths that it is for; None if it was not narrowed.
    """
    for _, neck in parts(model, 'neck'):
        if is_type(neck, NARROWED):
            inner, whole = dict(neck['neck']), list(neck['whole'])
            neck.clear()
            neck.update(inner)
            return whole
    return None
