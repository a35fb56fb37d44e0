"""Any segmenter on any folder of pictures and maps."""

from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from os import PathLike
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.datasets.wrappers import unwrapped
from rethink_det.errors import UserError
from rethink_det.segmentation.datasets.map_folder import MapFolder, MapSplit
from rethink_det.segmentation.transfer.heads import HEADS
from rethink_det.training.config import load_config
from rethink_det.transfer.adapted import Adapted, Change, difference
from rethink_det.transfer.readers import parts

NUMBER, ZERO = 'num_classes', 'reduce_zero_label'
_KIND = 'mmseg.BaseSegDataset'
_KEPT = ('pipeline', 'test_mode', 'backend_args', 'serialize_data', 'lazy_init', 'max_refetch')


def with_map_root(config: Config, root: str | PathLike) -> Adapted:
    """A segmenter's config on the pictures and maps in another folder, everything else kept.

    A number in a map is the class of that number; 255 is no class. Names of classes come from
    ``classes.txt``, or else they are counted.

    Args:
        config: Of any segmenter.
        root: Folder, see :class:`~rethink_det.segmentation.datasets.map_folder.MapFolder`.

    Returns:
        The config, and what is different: folders, classes, and the number of classes of the heads.

    Raises:
        UserError: As of :meth:`MapFolder.find`, or the model has no head that counts classes.
    """
    config, folder = deepcopy(config), MapFolder.find(Path(root))
    heads = list(class_heads(config.model))
    if not heads:
        raise UserError(f'The config is no segmenter with {NUMBER} in any {", ".join(HEADS)}.')
    changes: list[Change] = []
    for name, split in (('train', folder.train), ('val', folder.val), ('test', folder.val)):
        changes += _set_split(config, name, split, folder)
    for place, head in heads:
        changes += _set_number(head, place, len(folder.classes))
    return Adapted(config, tuple(changes))


def segmenter_base(
    config: str | PathLike, options: Mapping | None = None, root: str = ''
) -> Config:
    """A segmenter's config from its file, on the data in another folder if one is named.

    Args:
        config: Its file.
        options: Keys of it set to other values.
        root: The folder; empty for the config's own data.

    Raises:
        UserError: As of :func:`~rethink_det.training.config.load_config`, :func:`with_map_root`.
    """
    loaded = load_config(config, options)
    return with_map_root(loaded, root).config if root else loaded


def class_heads(model: Mapping) -> Iterator[tuple[str, MutableMapping]]:
    """Every head that counts classes, inside others too, with its place."""
    for key in HEADS:
        for place, head in parts(model, key):
            yield from _counting(head, f'model.{place}')


def _counting(node: Any, place: str) -> Iterator[tuple[str, MutableMapping]]:
    if isinstance(node, MutableMapping):
        if isinstance(node.get(NUMBER), int):
            yield place, node
        for key, part in node.items():
            yield from _counting(part, f'{place}.{key}')
    elif isinstance(node, (list, tuple)):
        for number, part in enumerate(node):
            yield from _counting(part, f'{place}.{number}')


def _set_number(head: MutableMapping, place: str, count: int) -> list[Change]:
    """The number of classes, in place; weights of classes that are not these are left out."""
    before, head[NUMBER] = head[NUMBER], count
    changes = difference(f'{place}.{NUMBER}', before, count)
    if before != count and isinstance(head.get('out_channels'), int):
        raise UserError(
            f'{place}.out_channels is {head["out_channels"]}, for {before} classes: it is not '
            f'known what becomes of it with {count}. Leave it out.'
        )
    for _, loss in parts(head, 'loss_decode'):
        if before != count and loss.get('class_weight') is not None:
            loss.pop('class_weight')
            key = f'{place}.loss_decode.class_weight'
            changes.append(Change(key, f'for {before} classes', None, 'as the classes are others'))
    return changes


def _set_split(config: Config, name: str, split: MapSplit, folder: MapFolder) -> list[Change]:
    """Give a split's loader its data, in place; returns what changes."""
    loader, key = config.get(f'{name}_dataloader'), f'{name}_dataloader.dataset'
    if not loader:
        return []
    old, place = next(unwrapped(loader['dataset'], key))
    new = {
        **{one: deepcopy(old[one]) for one in _KEPT if one in old},
        'type': _KIND,
        'data_root': str(folder.root),
        'data_prefix': {
            'img_path': str(split.pictures.relative_to(folder.root)),
            'seg_map_path': str(split.maps.relative_to(folder.root)),
        },
        'img_suffix': split.picture_suffix,
        'seg_map_suffix': split.map_suffix,
        'metainfo': {'classes': folder.classes},
    }
    changes = [] if name == 'test' else _told(split, place, old, new, folder)
    for step in new.get('pipeline') or ():
        if step.get(ZERO):  # the numbers mean themselves
            step[ZERO] = False
            where = f'{place}.pipeline.{step["type"]}.{ZERO}'
            changes.append(Change(where, True, False, '0 is a class like any other'))
    config[f'{name}_dataloader'] = {**loader, 'dataset': _inside(loader['dataset'], new)}
    return changes


def _told(
    split: MapSplit, place: str, old: Mapping, new: Mapping, folder: MapFolder
) -> list[Change]:
    before, here = old.get('data_prefix'), f'in {folder.root}, {len(split.names)} pictures'
    unused = f'; {split.unused} maps have no picture and are left out' if split.unused else ''
    changes = [Change(f'{place}.data_prefix', before, new['data_prefix'], here + unused)]
    names = (old.get('metainfo') or {}).get('classes')
    how = '' if folder.named else 'counted, as there is no classes.txt'
    return changes + difference(f'{place}.metainfo.classes', names, folder.classes, how)


def _inside(dataset: Mapping, new: Mapping) -> dict:
    """The data set inside the wrappers of another; data sets that are joined become one."""
    if dataset.get('datasets'):
        return _inside(dataset['datasets'][0], new)
    if dataset.get('dataset'):
        return {**dataset, 'dataset': _inside(dataset['dataset'], new)}
    return dict(new)
