"""Looking at a classifier's data before training starts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from rethink_det.classification.arm_config import classifier_architecture, is_classifier
from rethink_det.datasets import CIFAR10, CIFAR100, ImageFolder, ImageNet, ShapesCrops
from rethink_det.datasets.image_folder import (
    check_same_folders,
    class_folders,
    given_folders,
    image_files,
)
from rethink_det.datasets.imagenet import split_folders
from rethink_det.datasets.picture_files import same_pictures
from rethink_det.datasets.splits import stored_split
from rethink_det.datasets.wrappers import unwrapped
from rethink_det.errors import UserError
from rethink_det.registered import registered, scope_of
from rethink_det.registry import DATASETS

_SPLITS = ('train', 'val', 'test')
_COUNTS = {CIFAR10: 10, CIFAR100: 100, ShapesCrops: 8}


class _Folders(NamedTuple):
    """A data set of a folder for each class, and its place in the config."""

    key: str
    kind: type
    root: Path
    names: Sequence[str]


def check_images(config: Config, splits: Sequence[str] = _SPLITS) -> tuple[str, ...]:
    """Refuse a classifier's config whose splits or head do not have the same classes.

    Args:
        config: Any config; what is no classifier of this package is left alone, as are data sets
            that are not this package's.
        splits: Which dataloaders to look at.

    Returns:
        What a user is to know, a line each: pictures that are in two splits.

    Raises:
        UserError: Names the folder or the key, and what to do.
    """
    if not is_classifier(config):
        return ()
    with scope_of(config):
        return tuple(_checked(config, splits))


def folder_pictures(config: Config, split: str) -> list[Path]:
    """Files of a split that is a folder for each class; of other data sets none.

    Args:
        config: Of a classifier that passed :func:`check_images`.
        split: Of which dataloader.
    """
    with scope_of(config):
        return [
            path
            for kind, settings, key in _data_sets(config, split)
            if kind in (ImageFolder, ImageNet)
            for path in _pictures(_folders(kind, settings, key))
        ]


def _data_sets(config: Config, split: str) -> Iterator[tuple[Any, Mapping, str]]:
    """Kind, settings and key of each data set of a split, inside all wrappers."""
    root = (config.get(f'{split}_dataloader') or {}).get('dataset')
    for settings, key in unwrapped(root, f'{split}_dataloader.dataset') if root else ():
        yield registered(DATASETS, settings['type']), settings, key


def _checked(config: Config, splits: Sequence[str]) -> Iterator[str]:
    found: dict[str, _Folders] = {}
    for split in splits:
        for kind, settings, key in _data_sets(config, split):
            if kind in (ImageFolder, ImageNet):
                found[split] = _folders(kind, settings, key)
                _check_head(config, len(found[split].names), key)
            elif kind in _COUNTS:
                _check_head(config, _COUNTS[kind], key)
    first = next(iter(found.values()), None)
    for other in found.values():
        if first and list(other.names) != list(first.names):
            check_same_folders(first.root, first.names, other.root, other.names)
            raise UserError(
                f'{first.key} and {other.key} have the same classes in another order: labels '
                'are their places. Set the same classes=[...] in both.'
            )
    yield from _leak(found)


def _folders(kind: type, settings: Mapping, key: str) -> _Folders:
    root = Path(settings.get('data_root') or '').expanduser()
    split = settings.get('split', 'train')
    if kind is ImageNet:
        folder = root / split
        return _Folders(key, kind, folder, split_folders(folder, settings.get('num_classes', 1000)))
    stored, classes = stored_split(split, settings.get('val', 0)), settings.get('classes')
    if classes is None:
        return _Folders(key, kind, root / stored, class_folders(root, stored))
    return _Folders(key, kind, root / stored, given_folders(root / stored, classes))


def _check_head(config: Config, count: int, key: str) -> None:
    head = config.model.get('head') or classifier_architecture(config).head
    if head.get('num_classes', count) != count:
        raise UserError(
            f'model.head.num_classes is {head["num_classes"]}, but {key} has {count} classes: set '
            f'it to {count}.'
        )


def _leak(found: Mapping[str, _Folders]) -> Iterator[str]:
    """Of folders of small images alone: ImageNet's million files are not worth the wait."""
    train, held = found.get('train'), found.get('test') or found.get('val')
    if not train or not held or {train.kind, held.kind} != {ImageFolder}:
        return
    if train.root == held.root:  # a part that is held out of the training images
        return
    pictures = _pictures(held)
    both = same_pictures(pictures, _pictures(train))
    if both:
        yield (
            f'WARNING: {len(both)} of {len(pictures)} pictures of {held.root} are trained on, too, '
            f'byte by byte ({both[0][0]} is {both[0][1]}): its accuracy is also memory.'
        )


def _pictures(folders: _Folders) -> list[Path]:
    return [path for name in folders.names for path in image_files(folders.root / name)]
