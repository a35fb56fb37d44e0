"""A model gives its images to the backbone as the classifier did."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from mmengine.config import Config

from rethink_det.architecture.input_convention import InputConvention
from rethink_det.transfer.adapted import Change

KEY = 'data_preprocessor'


DETECTOR_S = {'type': 'mmdet.DetDataPreprocessor', 'pad_size_divisor': 32}
"""What a detector has that says nothing."""


def set_normalisation(
    config: Config, convention: InputConvention | None, default: Mapping[str, Any] = DETECTOR_S
) -> list[Change]:
    """Set ``model.data_preprocessor`` to the convention that the weights were trained with.

    Args:
        config: Config of a detector or segmenter, changed in place.
        convention: The classifier's; ``None``, if it is unknown, changes nothing.
        default: Settings of a model that has none.

    Returns:
        What changes.
    """
    holder = _holder(config.model)
    old = holder.get(KEY) or config.get(KEY) or {}
    own = InputConvention.of_settings(old)
    if convention is None or own == convention:
        return []
    kept = {key: value for key, value in old.items() if key != 'rgb_to_bgr'}
    holder[KEY] = {**(kept or default), **convention.settings()}
    return [Change(f'model.{KEY}', own, convention, 'as the backbone was trained')]


def _holder(model: MutableMapping) -> MutableMapping:
    """What has the settings: the model, or a preprocessor of several kinds of images around it."""
    outer = model.get(KEY) or {}
    return outer if outer.get(KEY) else model
