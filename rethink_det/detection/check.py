"""Looking at a detector's data before training starts."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from rethink_det.errors import UserError

_BUILT_ON_DEMAND = ('rethink_det.ShapesCoco',)


def check_data(config: Config, splits: Sequence[str] = ('train', 'val', 'test')) -> None:
    """Refuse a config whose COCO files are not all there.

    Args:
        config: Any config; data sets that are no COCO folder are left to their own checks.
        splits: Which dataloaders to look at.

    Raises:
        UserError: Names the missing file or the first missing image, and the config's key.
    """
    seen = set()
    for split in splits:
        key = f'{split}_dataloader.dataset'
        dataset = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
        if dataset.get('type') in _BUILT_ON_DEMAND or 'ann_file' not in dataset:
            continue
        place = (dataset.get('data_root'), dataset['ann_file'])
        if place not in seen and '://' not in str(place):
            seen.add(place)
            _check_coco(dataset, key)


def _check_coco(dataset: Mapping, key: str) -> None:
    root = Path(dataset.get('data_root') or '')
    annotations = root / dataset['ann_file']
    if not annotations.is_file():
        raise UserError(
            f'{annotations} does not exist. Set {key}.data_root and {key}.ann_file, or link your '
            'data there.'
        )
    if annotations.suffix != '.json':
        return
    images = root / (dataset.get('data_prefix') or {}).get('img', '')
    if not images.is_dir():
        raise UserError(f'{images} is no folder. Set {key}.data_prefix.img.')
    try:
        wanted = {image['file_name'] for image in json.loads(annotations.read_text())['images']}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{annotations} is no COCO annotation file: {error!r}.') from None
    missing = sorted(wanted - set(os.listdir(images)))
    missing = [name for name in missing if not (images / name).is_file()]
    if missing:
        raise UserError(
            f'{annotations} lists {len(wanted)} images, {len(missing)} of them are not in '
            f'{images}: {missing[0]}, ...'
        )
