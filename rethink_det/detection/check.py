"""Looking at a detector's data before training starts."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
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
        root = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
        datasets = list(_unwrapped(root, f'{split}_dataloader.dataset'))
        for dataset, key in datasets:
            place = (dataset.get('data_root'), dataset.get('ann_file'), dataset.get('data_prefix'))
            if _is_local_coco(dataset) and str(place) not in seen:
                seen.add(str(place))
                _check_coco(dataset, key)
        if not any(dataset.get('type') in _BUILT_ON_DEMAND for dataset, _ in datasets):
            _check_evaluator(config.get(f'{split}_evaluator'), f'{split}_evaluator')


def _unwrapped(dataset: Mapping, key: str) -> Iterator[tuple[Mapping, str]]:
    """A data set and its key in the config, or those that it wraps."""
    inner = dataset.get('datasets') or []
    wrapped = {f'datasets.{i}': part for i, part in enumerate(inner)}
    if dataset.get('dataset'):
        wrapped['dataset'] = dataset['dataset']
    if not wrapped:
        yield dataset, key
    for name, part in wrapped.items():
        yield from _unwrapped(part, f'{key}.{name}')


def _is_local_coco(dataset: Mapping) -> bool:
    on_demand = dataset.get('type') in _BUILT_ON_DEMAND
    place = f'{dataset.get("data_root")} {dataset.get("ann_file")}'
    return bool(dataset.get('ann_file')) and not on_demand and '://' not in place


def _check_evaluator(evaluator: Mapping | Sequence | None, key: str) -> None:
    for metric in evaluator if isinstance(evaluator, Sequence) else [evaluator or {}]:
        annotations = metric.get('ann_file')
        if annotations and '://' not in annotations and not os.path.isfile(annotations):
            raise UserError(f'{annotations} does not exist. Set {key}.ann_file.')


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
