"""A detector gives its images to the backbone as the classifier did."""

from collections.abc import MutableMapping

from mmengine.config import Config

from rethink_det.architecture.input_convention import InputConvention
from rethink_det.transfer.adapted import Change

KEY = 'data_preprocessor'


def set_normalisation(config: Config, convention: InputConvention | None) -> list[Change]:
    """Set ``model.data_preprocessor`` to the convention that the weights were trained with.

    Args:
        config: Config of a detector, changed in place.
        convention: The classifier's; ``None``, if it is unknown, changes nothing.

    Returns:
        What changes.
    """
    holder = _holder(config.model)
    old = holder.get(KEY) or config.get(KEY) or {}
    own = InputConvention.of_settings(old)
    if convention is None or own == convention:
        return []
    kept = {key: value for key, value in old.items() if key != 'rgb_to_bgr'}
    default = {'type': 'mmdet.DetDataPreprocessor', 'pad_size_divisor': 32}
    holder[KEY] = {**(kept or default), **convention.settings()}
    return [Change(f'model.{KEY}', own, convention, 'as the backbone was trained')]


def _holder(model: MutableMapping) -> MutableMapping:
    """What has the settings: the model, or a preprocessor of several kinds of images around it."""
    outer = model.get(KEY) or {}
    return outer if outer.get(KEY) else model
