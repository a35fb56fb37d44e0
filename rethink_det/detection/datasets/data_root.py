"""Any detector on any folder of data: where it lies, and how many classes there are."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from os import PathLike
from pathlib import Path

from mmengine.config import Config

from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection.datasets.class_heads import (
    MASK_HEADS,
    NUMBER,
    STUFF,
    THINGS,
    class_heads,
)
from rethink_det.detection.datasets.coco_folder import CocoFolder, Split
from rethink_det.detection.datasets.coco_part import BY_NAME, JUDGES_BY_NAME
from rethink_det.detection.datasets.loading import steps
from rethink_det.detection.datasets.voc_devkit import has_devkit, has_other_classes, with_devkit
from rethink_det.detection.transfer.in_channels import CLASS_HEADS
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
from rethink_det.training.config import import_this_package, load_config
from rethink_det.transfer.adapted import Adapted, Change, difference

_MASKS = re.compile(r"mask_head|panoptic_head|mask_iou_head|'\w*(Mask|Inst?(?![a-z])|SOLO)\w*'")
_SPLITS = ('train', 'val', 'test')
_COCO = 'mmdet.CocoDataset'
_ANOTHER_ORDER = 'as its file has the classes in another order'
# What of a data set's settings belongs to training, not to the place where its data lies.
_KEPT = (
    'pipeline',
    'test_mode',
    'filter_cfg',
    'backend_args',
    'serialize_data',
    'lazy_init',
    'max_refetch',
)


def with_data_root(config: Config, root: str | PathLike) -> Adapted:
    """A detector's config on the data in another folder, everything else kept.

    Annotations and images are looked for in the usual layouts, see :class:`CocoFolder`: COCO's
    ``annotations/instances_train*.json`` with ``train*/`` or ``images/train*/``, Roboflow's
    ``train/_annotations.coco.json`` and ``valid/``, and ``train.json`` with ``train/``; those
    that the config names come first. What is in YOLO's or VOC's format, or a COCO file that lacks
    something, is read from a COCO file that is made of it (:mod:`.labelled`); of a folder
    without a part for validation a fifth of the pictures is held out, which is said.

    Data sets inside wrappers are set as well, evaluators that have an ``ann_file``, and the number
    of classes of all heads. Where objects have boxes alone, a detector that learns no masks loads
    none. Where a file lists the classes in another order than that of the training images, its
    data set and evaluators go by their names.

    Where the config is for VOC and its list of training images is in the folder, with objects of
    its classes, the folder is a VOC devkit, and the paths alone change.

    Args:
        config: Config of any detector.
        root: Folder of a data set.

    Returns:
        The config, and what is different: files, classes, and the number of classes of the heads.

    Raises:
        UserError: The model has no head that counts classes; the folder is not in COCO format,
            lacks a split or images, or its splits differ in their classes.
    """
    config, root = deepcopy(config), Path(root)
    first = _first(config, 'train')[0]
    if has_devkit(first, root):
        with scope_of(config, 'mmdet'):
            if not has_other_classes(first, root):
                return with_devkit(config, root)
    heads = list(class_heads(config.get('model') or {}, 'model'))
    if not heads:
        raise UserError(
            f'The config is no detector that --data-root knows: its model has no {NUMBER} in any '
            f'{", ".join(CLASS_HEADS)}, and no {THINGS} in any {", ".join(MASK_HEADS)}.'
        )
    if stuff := next((head for head in heads if head.stuff), None):
        raise UserError(
            f'{stuff.place}.{STUFF} is {stuff.stuff}: the config is for panoptic segmentation, and '
            'a folder in COCO format has objects alone. Take the same detector without stuff.'
        )
    usual = {split: _first(config, split)[0].get('ann_file') or '' for split in _SPLITS}
    usual = {split: file for split, file in usual.items() if not Path(file).is_absolute()}
    folder = CocoFolder.find(root, usual)
    changes: list[Change] = []
    for name in _SPLITS:
        changes += _set_split(config, name, getattr(folder, name), folder)
    if not learns_masks(config.model) and not folder.has_masks:
        changes += _without_masks(config)
    for head in heads:
        changes += head.set_number(len(folder.classes))
    return Adapted(config, tuple(changes))


def detector_base(config: str | PathLike, options: Mapping | None = None, root: str = '') -> Config:
    """A detector's config from its file, on the data in another folder if one is named.

    Errors as of :func:`~rethink_det.training.config.load_config` and :func:`with_data_root`.

    Args:
        config: Its file.
        options: Keys of it set to other values.
        root: The folder; empty for the config's own data.
    """
    loaded = load_config(config, options)
    return with_data_root(loaded, root).config if root else loaded


def _first(config: Config, split: str) -> tuple[Mapping, str]:
    """The first data set inside all wrappers, and its place."""
    dataset = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
    return next(unwrapped(dataset, f'{split}_dataloader.dataset'))


def _set_split(config: Config, name: str, split: Split, folder: CocoFolder) -> list[Change]:
    """Give a split's loader and evaluators its data, in place; returns what changes."""
    changes: list[Change] = []
    loader, key = config.get(f'{name}_dataloader'), f'{name}_evaluator'
    if loader:  # a new one: config files often give val and test one object
        old, place = _first(config, name)
        new = _replaced(loader['dataset'], split, folder)
        config[f'{name}_dataloader'] = {**loader, 'dataset': new}
        file, before = _below(split.annotations.path, folder.root), old.get('ann_file')
        told = f'in {folder.root}' + (f': {split.note}' if split.note else '')
        changes += difference(f'{place}.ann_file', before, file, told)
        classes = (old.get('metainfo') or {}).get('classes')
        changes += difference(f'{place}.metainfo.classes', classes, folder.classes)
        if not split.has_order(folder.classes):
            import_this_package(config)
            changes.append(Change(f'{place}.type', _COCO, BY_NAME, _ANOTHER_ORDER))
    own = {} if split.has_order(folder.classes) else {'type': JUDGES_BY_NAME}
    found = {'ann_file': str(split.annotations.path), **own}
    evaluator = config.get(key)
    if isinstance(evaluator, Sequence):
        config[key] = [_judging(one, found) for one in evaluator]
    elif evaluator:
        config[key] = _judging(evaluator, found)
    return changes


def _replaced(dataset: Mapping, split: Split, folder: CocoFolder) -> dict:
    """The data set at its new place, inside the wrappers it has.

    Data sets that are joined become one.
    """
    if dataset.get('datasets'):
        return _replaced(dataset['datasets'][0], split, folder)
    if dataset.get('dataset'):
        return {**dataset, 'dataset': _replaced(dataset['dataset'], split, folder)}
    return {
        **{key: dataset[key] for key in _KEPT if key in dataset},
        'type': _COCO if split.has_order(folder.classes) else BY_NAME,
        'data_root': f'{folder.root}/',
        'ann_file': _below(split.annotations.path, folder.root),
        'data_prefix': {'img': f'{_below(split.images, folder.root)}/'},
        'metainfo': {'classes': folder.classes},
    }


def _judging(evaluator: Mapping, found: Mapping) -> dict:
    return {**evaluator, **(found if evaluator.get('ann_file') else {})}


def learns_masks(model: Mapping) -> bool:
    """Whether any part of a model, or the model itself, is for masks by its name."""
    return _MASKS.search(str(model)) is not None


def _without_masks(config: Config) -> list[Change]:
    """Let no pipeline load masks, in place."""
    changes: list[Change] = []
    for split in _SPLITS:
        place = f'{split}_dataloader.dataset'
        dataset = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
        for part, key in unwrapped(dataset, place):
            for step in steps(part, 'LoadAnnotations'):
                if step.get('with_mask'):
                    step['with_mask'] = False
                    changes.append(Change(f'{key}.pipeline.LoadAnnotations.with_mask', True, False))
    return changes


def _below(path: Path, root: Path) -> str:
    """A path as it is named from the root; one that lies elsewhere, in the cache, is whole."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
