"""A detector gives its images to the backbone as the classifier did."""

from mmengine.config import Config

from rethink_det.architecture.input_convention import InputConvention
from rethink_det.detection.adapted import Change


def set_normalisation(config: Config, convention: InputConvention | None) -> list[Change]:
    """Set ``model.data_preprocessor`` to the convention that the weights were trained with.

    Args:
        config: Config of a detector, changed in place.
        convention: The classifier's; ``None``, if it is unknown, changes nothing.

    Returns:
        What changes.
    """
    old = config.model.get('data_preprocessor') or config.get('data_preprocessor') or {}
    own = InputConvention.of_settings(old)
    if convention is None or own == convention:
        return []
    kept = {key: value for key, value in old.items() if key != 'rgb_to_bgr'}
    default = {'type': 'mmdet.DetDataPreprocessor', 'pad_size_divisor': 32}
    config.model.data_preprocessor = {**(kept or default), **convention.settings()}
    return [Change('model.data_preprocessor', own, convention, 'as the backbone was trained')]
