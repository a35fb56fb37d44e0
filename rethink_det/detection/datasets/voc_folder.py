"""A folder of pictures with an XML file each, in VOC's format, with whatever classes they name.

VOC's own folders, ``Annotations`` beside ``ImageSets`` or without them, and what Roboflow, CVAT and
LabelImg write. Objects that are marked as difficult count for nothing, as in VOC's own benchmark:
they become crowds.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rethink_det.datasets.picture_files import read_header
from rethink_det.detection.datasets.labelled import Labelled, LabelledObject, LabelledPicture
from rethink_det.detection.datasets.picture_names import PictureNames
from rethink_det.detection.datasets.split_names import SPLITS, spelled
from rethink_det.detection.datasets.voc_part import VocImage, VocObject, read_annotation
from rethink_det.errors import UserError

LISTS = Path('ImageSets', 'Main')
LABEL_MAP = 'labelmap.txt'
"""What CVAT and Datumaro write, which count pixels from 0 and not from 1, as VOC does."""
_KITS = ('VOC*', 'VOCdevkit/VOC*')
_SPLIT_FOLDERS = ('{}', 'Annotations/{}', 'annotations/{}', '{}/Annotations', '{}/annotations')
_WHOLE = ('Annotations', 'annotations', 'annotations/xmls', 'labels', 'images', 'JPEGImages', '.')


def find_voc(root: Path) -> Labelled | None:
    """The labels of a folder in VOC's format; None if it is none.

    Raises:
        UserError: An XML file makes no sense, or its picture is not there.
    """
    files = _by_lists(root) or _by_folders(root)
    if not files:
        return None
    pictures = PictureNames(root)
    read = {split: [read_annotation(file) for file in found] for split, found in files.items()}
    images = [image for found in read.values() for image in found]
    corners = (value for image in images for one in image.objects for value in one.box[:2])
    first = 0 if (root / LABEL_MAP).is_file() or any(value < 1 for value in corners) else 1
    classes = tuple(sorted({one.name for image in images for one in image.objects}))
    if not classes:
        raise UserError(f'{images[0].path} and the other {len(images) - 1} XML files: no object.')
    difficult = sum(one.difficult for image in images for one in image.objects)
    told = [f"{len(images)} XML files in VOC's format"]
    told += [f'{difficult} difficult objects count for nothing'] if difficult else []
    splits = {
        split: [_labelled(image, pictures, first) for image in found]
        for split, found in read.items()
    }
    return Labelled(splits, classes, '; '.join(told))


def _by_lists(root: Path) -> dict[str, list[Path]]:
    """The XML files of each split by the lists of VOC's folders, those of several years joined."""
    found: dict[str, list[Path]] = {}
    for kit in [root, *(kit for pattern in _KITS for kit in sorted(root.glob(pattern)))]:
        folder = kit / 'Annotations'
        if folder.is_dir() and (kit / LISTS).is_dir():
            for split, names in _lists(kit / LISTS).items():
                found.setdefault(split, []).extend(_xml_of(folder, name) for name in names)
    return found


def _lists(folder: Path) -> dict[str, list[str]]:
    """Names of the images of each split; of one list alone, whatever it is called, all."""
    files = {split: _list_of(folder, spelled(split)) for split in SPLITS}
    both = _list_of(folder, ('trainval',))
    if both and not (files['train'] and files['val']):
        files = {'train': both, 'val': None, 'test': files['test']}
    if not any(files.values()):
        files = {'train': _list_of(folder, ('default',))}
    return {split: _names(file) for split, file in files.items() if file}


def _list_of(folder: Path, names: Sequence[str]) -> Path | None:
    return next((p for name in names if (p := folder / f'{name}.txt').is_file()), None)


def _names(file: Path) -> list[str]:
    lines = [line.strip() for line in file.read_text().splitlines()]
    return [line.split()[0] for line in lines if line]


def _xml_of(folder: Path, name: str) -> Path:
    file = folder / f'{name}.xml'
    if not file.is_file():
        raise UserError(f'{folder.parent / LISTS} lists {name}, but {file} is not there.')
    return file


def _by_folders(root: Path) -> dict[str, list[Path]]:
    """The XML files of each split by its folder; if there are none of splits, all."""
    for pattern in _SPLIT_FOLDERS:
        found = {split: _xmls(root, pattern, spelled(split)) for split in SPLITS}
        if found['train']:
            return {split: files for split, files in found.items() if files}
    whole = _xmls(root, '{}', _WHOLE)
    return {'train': whole} if whole else {}


def _xmls(root: Path, pattern: str, names: Sequence[str]) -> list[Path]:
    """The XML files of the first folder that has some of VOC's."""
    for name in names:
        files = [
            file for file in sorted((root / pattern.format(name)).glob('*.xml')) if _is_voc(file)
        ]
        if files:
            return files
    return []


def _is_voc(file: Path) -> bool:
    with file.open('rb') as opened:
        return b'<annotation' in opened.read(1000)


def _labelled(image: VocImage, pictures: PictureNames, first: int) -> LabelledPicture:
    name = pictures.beside(image.path, image.picture)
    if name is None:
        raise UserError(
            f'{image.path}: no picture of its name is below {pictures.root}, nor {image.picture!r}.'
        )
    path = pictures.root / name
    width, height = image.size or read_header(path).shown
    return LabelledPicture(path, width, height, tuple(_objects(image.objects, first)))


def _objects(objects: Sequence[VocObject], first: int) -> Iterator[LabelledObject]:
    for one in objects:
        left, top, right, bottom = one.box
        box = (left - first, top - first, right - left, bottom - top)
        yield LabelledObject(one.name, box, ignored=one.difficult)
