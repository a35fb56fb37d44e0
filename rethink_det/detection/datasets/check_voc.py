"""A PASCAL VOC folder, looked at before anything is trained on it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from rethink_det.errors import UserError
from rethink_det.registered import Kind, registered
from rethink_det.registry import DATASETS

_LOOKED_INTO = 20  # annotation files, for classes


def reads_as_voc(kind: Kind | None) -> bool:
    """Whether a data set class reads a list of images and an XML file of each."""
    voc = registered(DATASETS, 'mmdet.XMLDataset')
    return isinstance(kind, type) and isinstance(voc, type) and issubclass(kind, voc)


def class_names(dataset: Mapping) -> Sequence[str]:
    """The classes of a data set's config, or else of its own class; empty if neither says."""
    own = getattr(registered(DATASETS, dataset['type']), 'METAINFO', {}).get('classes')
    names = (dataset.get('metainfo') or {}).get('classes') or own or ()
    return (names,) if isinstance(names, str) else names


def check_voc(dataset: Mapping, key: str, heads: Mapping[str, int]) -> None:
    """Refuse a VOC data set of which something is missing.

    Args:
        dataset: Config of an mmdet ``VOCDataset`` or another ``XMLDataset``.
        key: Its key in the config.
        heads: Config key to number of classes of every head that tells classes apart.

    Raises:
        UserError: The list of images, a folder, an image or an annotation file is missing; the
            list is that of one class; no object is of one of the data set's classes; or a head
            has another number of classes.
    """
    root = Path(dataset.get('data_root') or '')
    listing = root / dataset['ann_file']
    if not listing.is_file():
        raise UserError(
            f'{listing} does not exist. Set {key}.data_root (the folder that has VOC2007, VOC2012) '
            f'and {key}.ann_file, or link your data there.'
        )
    names = listing.read_text().split('\n')
    names = [name.strip('\r') for name in names if name.strip()]
    if not names or any(' ' in name.strip() for name in names):
        raise UserError(
            f'{listing} must have the name of an image on every line, as trainval.txt has; the '
            'files that start with the name of a class say which images have that class.'
        )
    part = root / (dataset.get('data_prefix') or {}).get('sub_data_root', '')
    _check_files(part / dataset.get('img_subdir', 'JPEGImages'), names, 'jpg', listing, key)
    annotations = part / dataset.get('ann_subdir', 'Annotations')
    _check_files(annotations, names, 'xml', listing, key)
    classes = class_names(dataset)
    _check_classes(annotations, names, classes, key)
    for place, number in heads.items():
        if number != len(classes):
            raise UserError(f'{place} is {number}, but {key} has {len(classes)} classes.')


def _check_files(folder: Path, names: Sequence[str], suffix: str, listing: Path, key: str) -> None:
    if not folder.is_dir():
        raise UserError(f'{folder} is no folder. Set {key}.data_prefix.sub_data_root.')
    there = set(os.listdir(folder))
    missing = [name for name in names if f'{name}.{suffix}' not in there]
    if missing:
        raise UserError(
            f'{listing} lists {len(names)} images, {len(missing)} of which have no file in '
            f'{folder}: {missing[0]}.{suffix}, ...'
        )


def _check_classes(folder: Path, names: Sequence[str], classes: Sequence[str], key: str) -> None:
    """mmdet leaves objects of other classes out without a word."""
    found = set()
    for name in names[:_LOOKED_INTO]:
        file = folder / f'{name}.xml'
        try:
            found |= {one.findtext('name') for one in ElementTree.parse(file).iter('object')}
        except ElementTree.ParseError as error:
            raise UserError(f'{file} is no XML file: {error}.') from None
    if found and not found & set(classes):
        raise UserError(
            f'The first {min(len(names), _LOOKED_INTO)} files in {folder} have objects of the '
            f'classes {", ".join(sorted(map(str, found)))}, none of which is in {key}: set its '
            'metainfo=dict(classes=(...)).'
        )
