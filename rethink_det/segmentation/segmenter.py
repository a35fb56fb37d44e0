"""What a segmenter's config is: a model of mmsegmentation that has a head for every pixel."""

from mmengine.config import Config

from rethink_det.errors import UserError

SCOPE = 'mmseg'
HEAD, BACKBONE = 'decode_head', 'backbone'


def is_segmenter(config: Config) -> bool:
    """Whether a config is one of mmsegmentation: its model has a ``decode_head``."""
    return bool((config.get('model') or {}).get(HEAD))


def check_segmenter(config: Config) -> None:
    """Refuse what has no backbone that could be another.

    Raises:
        UserError: Says what is missing.
    """
    model = config.get('model') or {}
    missing = next((key for key in (HEAD, BACKBONE) if not model.get(key)), None)
    if missing:
        raise UserError(
            f'The config is no segmenter that could have another backbone: it has no '
            f'model.{missing}.'
        )
