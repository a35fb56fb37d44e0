"""Looking at a detector's data before training starts."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from rethink_det.detection.datasets.annotation_file import AnnotationFile
from rethink_det.detection.datasets.check_voc import check_voc, class_names, reads_as_voc
from rethink_det.detection.datasets.wrappers import unwrapped
from rethink_det.detection.transfer.in_channels import CLASS_HEADS, parts
from rethink_det.errors import UserError
from rethink_det.registered import Kind, is_type, registered, scope_of
from rethink_det.registry import DATASETS

_BUILT_ON_DEMAND = 'rethink_det.ShapesCoco'


def check_data(config: Config, splits: Sequence[str] = ('train', 'val', 'test')) -> None:
    """Refuse a config whose COCO or VOC files are not all there, or not what its heads expect.

    Args:
        config: Any config; data sets of another kind are left to their own checks.
        splits: Which dataloaders to look at.

    Raises:
        UserError: Names the missing file or the first missing image, and the config's key; or
            the first annotation of an image or category that there is not; or the head that has
            another number of classes.
    """
    seen = set()
    heads = _class_heads(config.get('model') or {})
    for split in splits:
        root = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
        datasets = list(unwrapped(root, f'{split}_dataloader.dataset'))
        for dataset, key in datasets:
            keys = ('type', 'data_root', 'ann_file', 'data_prefix', 'metainfo')
            place = [dataset.get(name) for name in keys]
            if _is_local(dataset) and str(place) not in seen:
                seen.add(str(place))
                with scope_of(config, 'mmdet'):
                    _check_files(dataset, key, heads)
        if not any(is_type(dataset, _BUILT_ON_DEMAND, DATASETS) for dataset, _ in datasets):
            _check_evaluator(config.get(f'{split}_evaluator'), f'{split}_evaluator')


def _is_local(dataset: Mapping) -> bool:
    on_demand = is_type(dataset, _BUILT_ON_DEMAND, DATASETS)
    place = f'{dataset.get("data_root")} {dataset.get("ann_file")}'
    return bool(dataset.get('ann_file')) and not on_demand and '://' not in place


def _check_evaluator(evaluator: Mapping | Sequence | None, key: str) -> None:
    for metric in evaluator if isinstance(evaluator, Sequence) else [evaluator or {}]:
        annotations = metric.get('ann_file')
        if annotations and '://' not in annotations and not os.path.isfile(annotations):
            raise UserError(f'{annotations} does not exist. Set {key}.ann_file.')


def _check_files(dataset: Mapping, key: str, heads: Mapping[str, int]) -> None:
    kind = registered(DATASETS, dataset['type'])
    if reads_as_voc(kind):
        check_voc(dataset, key, heads)
        return
    root = Path(dataset.get('data_root') or '')
    path = root / dataset['ann_file']
    if not path.is_file():
        raise UserError(
            f'{path} does not exist. Set {key}.data_root and {key}.ann_file, or link your '
            'data there.'
        )
    if path.suffix != '.json' or not _reads_as_coco(kind):
        return
    images = root / (dataset.get('data_prefix') or {}).get('img', '')
    if not images.is_dir():
        raise UserError(f'{images} is no folder. Set {key}.data_prefix.img.')
    annotations = AnnotationFile.read(path)
    annotations.check_images(images)
    annotations.check_references()
    annotations.check_classes(class_names(dataset), heads, key)


def _reads_as_coco(kind: Kind | None) -> bool:
    """Whether a data set class reads its file as mmdet's CocoDataset does.

    Some of its subclasses (LVIS, Objects365, panoptic COCO) read files of other keys.
    """
    coco = registered(DATASETS, 'mmdet.CocoDataset')
    methods = ('load_data_list', 'parse_data_info')
    return isinstance(kind, type) and all(
        getattr(kind, name, None) is getattr(coco, name) for name in methods
    )


def _class_heads(model: Mapping) -> dict[str, int]:
    """Config key to number of classes of every head that tells the data set's classes apart."""
    if model.get('language_model'):
        return {}  # grounding: its heads count the words of a prompt
    places = (('model', model), ('model.roi_head', model.get('roi_head') or {}))
    return {
        f'{where}.{place}.num_classes': head['num_classes']
        for where, node in places
        for name in CLASS_HEADS
        for place, head in parts(node, name)
        if head.get('num_classes') is not None
    }
