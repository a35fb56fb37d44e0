"""Looking at a segmenter's data before training starts."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from rethink_det.datasets.wrappers import unwrapped
from rethink_det.errors import UserError
from rethink_det.registered import registered, scope_of
from rethink_det.registry import DATASETS
from rethink_det.segmentation.datasets.data_root import NUMBER, class_heads
from rethink_det.segmentation.segmenter import SCOPE, is_segmenter

_SPLITS = ('train', 'val', 'test')


def check_maps(config: Config, splits: Sequence[str] = _SPLITS) -> None:
    """Refuse a segmenter whose heads and data sets do not have the same classes.

    mmsegmentation compares them nowhere: a class too many is never learnt, and a pixel of one too
    few is left out of what is evaluated.

    Args:
        config: Any config; what is no segmenter is left alone.
        splits: Which dataloaders to look at.

    Raises:
        UserError: Names the two keys that disagree, and what to do.
    """
    if not is_segmenter(config):
        return
    heads = [(place, head[NUMBER]) for place, head in class_heads(config.model)]
    with scope_of(config, SCOPE):
        for split in splits:
            root = (config.get(f'{split}_dataloader') or {}).get('dataset')
            for settings, key in unwrapped(root, f'{split}_dataloader.dataset') if root else ():
                classes = _classes(settings)
                wrong = next((head for head in heads if classes and head[1] != len(classes)), None)
                if wrong:
                    raise UserError(
                        f'{wrong[0]}.{NUMBER} is {wrong[1]}, but {key} has {len(classes)} classes: '
                        f'set it to {len(classes)} in all heads, as --data-root does.'
                    )


def _classes(settings: Mapping) -> Sequence[str]:
    """Those of a data set's config, or else of its own class; empty if neither says."""
    own = getattr(registered(DATASETS, settings['type']), 'METAINFO', {}).get('classes')
    return (settings.get('metainfo') or {}).get('classes') or own or ()
