"""Any detector on any COCO folder: where the data lies, and how many classes there are."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from copy import deepcopy
from os import PathLike
from pathlib import Path

from mmengine.config import Config

from rethink_det.detection.datasets.coco_folder import CocoFolder, Split
from rethink_det.detection.datasets.voc import has_devkit, with_devkit
from rethink_det.detection.transfer.in_channels import CLASS_HEADS, Say
from rethink_det.errors import UserError

_SPLITS = ('train', 'val', 'test')
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


def with_data_root(config: Config, root: str | PathLike, say: Say = print) -> Config:
    """A detector's config on the data in another folder, everything else kept.

    Annotations and images are looked for in the usual layouts, see :class:`CocoFolder`: COCO's
    ``annotations/instances_train*.json`` with ``train*/`` or ``images/train*/``, Roboflow's
    ``train/_annotations.coco.json`` and ``valid/``, and ``train.json`` with ``train/``; those
    that the config names come first. Data sets inside wrappers are set as well, evaluators that
    have an ``ann_file``, and the number of classes of all heads.

    Where the config is for VOC and its list of training images is in the folder, the folder is a
    VOC devkit, and the paths alone change.

    Args:
        config: Config of any detector.
        root: Folder of a data set in COCO format, or VOC devkit.
        say: Is told, a line each, what was found.

    Raises:
        UserError: The model has no head that counts classes; the folder is not in COCO format,
            lacks a split or images, or its splits differ in their classes.
    """
    config, root = deepcopy(config), Path(root)
    if has_devkit(_leaf(config, 'train'), root):
        return with_devkit(config, root)
    heads = list(_heads(config.get('model') or {}))
    if not heads:
        raise UserError(
            'The config is no detector that --data-root knows: its model has no num_classes in '
            f'any {", ".join(CLASS_HEADS)}.'
        )
    usual = {split: _leaf(config, split).get('ann_file') or '' for split in _SPLITS}
    usual = {split: file for split, file in usual.items() if not Path(file).is_absolute()}
    folder = CocoFolder.find(root, usual)
    for head in heads:
        head['num_classes'] = len(folder.classes)
    for name in _SPLITS:
        split = getattr(folder, name)
        say(f'{name}: {_below(split.annotations.path, folder.root)}')
        _set_split(config, name, split, folder)
    say(f'{len(folder.classes)} classes: {", ".join(folder.classes)}')
    return config


def _leaf(config: Config, split: str) -> Mapping:
    """The first data set inside all wrappers."""
    dataset = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
    while dataset.get('dataset') or dataset.get('datasets'):
        dataset = dataset.get('dataset') or dataset['datasets'][0]
    return dataset


def _set_split(config: Config, name: str, split: Split, folder: CocoFolder) -> None:
    loader, evaluator = config.get(f'{name}_dataloader'), config.get(f'{name}_evaluator')
    if loader:  # a new one: config files often give val and test one object
        dataset = _replaced(loader['dataset'], split, folder)
        config[f'{name}_dataloader'] = {**loader, 'dataset': dataset}
    if isinstance(evaluator, Sequence):
        config[f'{name}_evaluator'] = [_judging(one, split) for one in evaluator]
    elif evaluator:
        config[f'{name}_evaluator'] = _judging(evaluator, split)


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
        'type': 'mmdet.CocoDataset',
        'data_root': f'{folder.root}/',
        'ann_file': _below(split.annotations.path, folder.root),
        'data_prefix': {'img': f'{_below(split.images, folder.root)}/'},
        'metainfo': {'classes': folder.classes},
    }


def _judging(evaluator: Mapping, split: Split) -> dict:
    found = {'ann_file': str(split.annotations.path)} if evaluator.get('ann_file') else {}
    return {**evaluator, **found}


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _heads(node: object, inside: bool = False) -> Iterator[MutableMapping]:
    """The configs inside heads, cascades included, that have a ``num_classes``."""
    if isinstance(node, Mapping):
        if inside and 'num_classes' in node:
            yield node
        for key, part in node.items():
            yield from _heads(part, inside or key in CLASS_HEADS)
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _heads(part, inside)
