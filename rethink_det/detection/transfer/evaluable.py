"""Heads that mmdet can train but not evaluate."""

from collections.abc import Mapping

from rethink_det.registered import is_type
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.readers import parts

_OURS = 'rethink_det.EvaluatedSSDHead'
_WHY = 'the same, and evaluates: the other asks for a loss that SSD has none of'


def let_evaluate(model: Mapping) -> list[Change]:
    """Take :class:`rethink_det.detection.ssd_head.EvaluatedSSDHead` for those of SSD, in place.

    Returns:
        What changes.
    """
    changes = []
    for place, head in parts(model, 'bbox_head'):
        if is_type(head, 'mmdet.SSDHead'):
            changes.append(Change(f'model.{place}.type', head['type'], _OURS, _WHY))
            head['type'] = _OURS
    return changes
