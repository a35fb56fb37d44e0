"""The detector of a config: the model itself, or one that it wraps.

Trackers (ByteTrack, QDTrack, MaskTrack R-CNN) and semi-supervised detectors (SoftTeacher) have
theirs at ``model.detector``.
"""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from rethink_det.errors import UserError

MODEL, WRAPPED = 'model', 'model.detector'


def detector_of(config: Config) -> tuple[str, Any]:
    """The key of the detector in a config, and its config, which is that of the config itself.

    Raises:
        UserError: Neither the model nor what it wraps has a backbone.
    """
    model = config.get(MODEL) or {}
    if model.get('backbone') is not None:
        return MODEL, model
    inner = model.get('detector')
    if isinstance(inner, Mapping) and inner.get('backbone') is not None:
        return WRAPPED, inner
    raise UserError('The config is no detector: it has no model.backbone nor model.detector.')


def has_detector(config: Config) -> bool:
    """Whether there is one."""
    try:
        detector_of(config)
    except UserError:
        return False
    return True
