"""Any segmenter on any folder of pictures and maps."""

from collections.abc import Mapping
from os import PathLike

from mmengine.config import Config

from rethink_det.errors import UserError
from rethink_det.training.config import load_config


def segmenter_base(
    config: str | PathLike, options: Mapping | None = None, root: str = ''
) -> Config:
    """A segmenter's config from its file, on the data in another folder if one is named.

    Args:
        config: Its file.
        options: Keys of it set to other values.
        root: The folder; empty for the config's own data.

    Raises:
        UserError: As of :func:`~rethink_det.training.config.load_config`.
    """
    if root:
        raise UserError('data_root of a segmenter is not known yet.')
    return load_config(config, options)
