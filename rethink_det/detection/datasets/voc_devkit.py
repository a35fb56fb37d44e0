"""A VOC config on a devkit that lies in another folder."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config

from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection.datasets.check_data import class_names
from rethink_det.detection.datasets.voc_part import VocPart
from rethink_det.errors import UserError
from rethink_det.transfer.adapted import Adapted, Change, difference

_SPLITS = ('train', 'val', 'test')


def has_devkit(dataset: Mapping, root: Path) -> bool:
    """Whether the folder has the list of images that the config of a VOC data set names."""
    listing = str(dataset.get('ann_file'))
    return listing.endswith('.txt') and (root / listing).is_file()


def has_other_classes(dataset: Mapping, root: Path) -> bool:
    """Whether no object of a devkit is of the config's classes: then it is one of somebody's own.

    Args:
        dataset: Config of a VOC data set whose list of images is there.
        root: The folder.
    """
    part = VocPart('', {**dataset, 'data_root': str(root)}, class_names(dataset))
    try:
        found = {one.name for image in part.images() for one in image.objects}
    except (UserError, OSError):
        return False  # whoever looks at the data says what is wrong with it
    return bool(found) and bool(part.classes) and not found & set(part.classes)


def with_devkit(config: Config, root: Path) -> Adapted:
    """The config with that folder as ``data_root`` of all data sets, in place.

    Args:
        config: Config of a detector on VOC.
        root: The folder that has ``VOC2007``, ``VOC2012``.

    Returns:
        The same config, and which data sets lie elsewhere now.

    Raises:
        UserError: Another data set than the first one of the config has no list there.
    """
    changes: list[Change] = []
    for split in _SPLITS:
        loader = config.get(f'{split}_dataloader')
        if loader:  # a new one: config files often give val and test one object
            for old, place in unwrapped(loader['dataset'], f'{split}_dataloader.dataset'):
                changes += difference(f'{place}.data_root', old.get('data_root'), f'{root}/')
            dataset = _moved(loader['dataset'], root)
            config[f'{split}_dataloader'] = {**loader, 'dataset': dataset}
    return Adapted(config, tuple(changes))


def _moved(dataset: Mapping, root: Path) -> dict:
    if dataset.get('datasets'):
        return {**dataset, 'datasets': [_moved(part, root) for part in dataset['datasets']]}
    if dataset.get('dataset'):
        return {**dataset, 'dataset': _moved(dataset['dataset'], root)}
    if not has_devkit(dataset, root):
        raise UserError(f'--data-root: {root / dataset["ann_file"]} does not exist.')
    return {**dataset, 'data_root': f'{root}/'}
