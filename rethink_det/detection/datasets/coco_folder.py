"""A folder of images with annotations, in the layouts that are around, as COCO files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import abspath, commonpath
from pathlib import Path

from rethink_det.detection.datasets.annotation_file import NO_MASK, AnnotationFile
from rethink_det.detection.datasets.coco_export import mended, read_coco
from rethink_det.detection.datasets.labelled import coco_content, held_out, told_held_out, written
from rethink_det.detection.datasets.split_names import SPLITS, spelled
from rethink_det.detection.datasets.voc_folder import find_voc
from rethink_det.detection.datasets.yolo_folder import find_yolo
from rethink_det.errors import UserError

VOC_LIST = '.txt'
"""How a list of images ends, which a config for VOC names as its annotations."""

# Where the annotations of a split are: COCO's way, Roboflow's, and simpler ones.
_ANNOTATIONS = (
    'annotations/instances_{}*.json',
    'annotations/{}*.json',
    '{}/_annotations.coco.json',
    '{}/annotations.json',
    '{}.json',
)
_IMAGES = ('{0}', 'images/{0}', '{0}/images', 'images', '.')


@dataclass(frozen=True)
class Split:
    """A part of a data set.

    Attributes:
        annotations: Its annotation file, read.
        images: Folder that the file's image names start from.
        note: What was done to have a COCO file; empty if there is one.
    """

    annotations: AnnotationFile
    images: Path
    note: str = ''

    def has_order(self, classes: tuple[str, ...]) -> bool:
        """Whether its file lists the classes in this order."""
        return tuple(name for name in self.annotations.names if name in classes) == classes


@dataclass(frozen=True)
class CocoFolder:
    """The splits of a data set, all with the same classes.

    Attributes:
        root: The folder.
        train: What is trained on.
        val: What is evaluated while training.
        test: What is evaluated at the end: a test split with annotations, or else ``val``.
        classes: Names, in the order of the training file; that of another may differ.
    """

    root: Path
    train: Split
    val: Split
    test: Split
    classes: tuple[str, ...]

    @property
    def has_masks(self) -> bool:
        """Whether all objects of all splits have masks."""
        splits = (self.train, self.val, self.test)
        return all((one.annotations.objects.masks != NO_MASK).all() for one in splits)

    @classmethod
    def find(cls, root: Path, usual: Mapping[str, str] | None = None) -> 'CocoFolder':
        """Look for annotation files and image folders.

        Args:
            root: The folder.
            usual: By split, the file that is taken if it is there; a name below ``root``.

        Raises:
            UserError: There is no such folder, a split has no annotations (lists what was
                looked for) or several files of them, images are missing, or splits differ in
                their classes.
        """
        if not root.is_dir():
            raise UserError(f'--data-root: {root} is no folder.')
        usual = usual or {}
        found = {name: _find_split(root, name, usual.get(name)) for name in SPLITS}
        if not any(found.values()):
            found = dict.fromkeys(SPLITS) | _of_another_format(root)
        if found['train'] and not found['val'] and not found['test']:
            found |= _divided(found['train'], root)
        train, val, test = found.values()
        if test is None or not len(test.annotations.objects):
            test = val
        val = val or test
        if train is None or val is None or test is None:
            name = 'train' if train is None else 'val'
            looked = ', '.join(_patterns(name, usual.get(name)))
            raise UserError(
                f'{root} has no annotations of {name}; looked for {looked}; for one COCO file of '
                'all pictures; for data.yaml or classes.txt (YOLO); and for XML files (VOC).'
            )
        return cls(root, train, val, test, _classes([train, val, test]))


def _patterns(split: str, usual: str | None) -> list[str]:
    names = [pattern.format(name) for pattern in _ANNOTATIONS for name in spelled(split)]
    return [usual, *names] if usual else names


def _find_split(root: Path, split: str, usual: str | None) -> Split | None:
    for pattern in _patterns(split, usual):
        files = [file for file in sorted(root.glob(pattern)) if file.suffix != VOC_LIST]
        if len(files) > 1:
            names = ', '.join(str(file.relative_to(root)) for file in files)
            raise UserError(f'{root} has several annotation files of {split}: {names}; leave one.')
        if files:
            return _read_split(files[0], root, split)
    return None


def _read_split(file: Path, root: Path, split: str) -> Split:
    """A COCO file as it is, or with what an export lacks."""
    refusal: UserError | None = None
    try:
        annotations = AnnotationFile.read(file)
        images = _find_images(root, split, annotations)
        if not annotations.objects.without_iscrowd:
            return Split(annotations, images)
    except UserError as error:
        refusal = error
    mending = mended(file, root, split)
    if mending is None and refusal is not None:
        raise refusal
    if mending is None:
        return Split(annotations, images)
    content, told = mending
    copy = written(content, root, split or file.stem)
    try:
        annotations = AnnotationFile.read(copy)
    except UserError as error:
        raise UserError(str(error).replace(str(copy), str(file))) from None
    names = [image.name for image in annotations.images]
    if not any((root / name).is_file() for name in names):
        raise refusal or UserError(f'{file}: none of its {len(names)} images is below {root}.')
    return Split(annotations, root, f'with what {file.relative_to(root)} lacks: {told}')


def _of_another_format(root: Path) -> dict[str, Split | None]:
    """The splits of a folder in YOLO's or VOC's format, or of one COCO file of all pictures."""
    labelled = find_yolo(root) or find_voc(root)
    if labelled is None:
        whole = [file for file in _whole_files(root) if read_coco(file) is not None]
        if len(whole) > 1:
            names = ', '.join(str(file.relative_to(root)) for file in whole)
            raise UserError(
                f'{root} has several COCO files, and no name says which is of train: {names}. Call '
                'them annotations/train.json and annotations/val.json, or leave one.'
            )
        return {'train': _read_split(whole[0], root, '')} if whole else {}
    found: dict[str, Split | None] = {}
    for name, pictures in labelled.splits.items():
        folder = _folder_of([picture.path for picture in pictures], root)
        content = coco_content(pictures, labelled.classes, folder)
        file = written(content, root, name)
        found[name] = Split(AnnotationFile.read(file), folder, labelled.how)
    return found


def _folder_of(pictures: Sequence[Path], root: Path) -> Path:
    """What the names of pictures start from: the root, unless they are elsewhere."""
    places = [Path(abspath(path)) for path in pictures]  # links are left alone
    if all(path.is_relative_to(abspath(root)) for path in places):
        return root
    return Path(commonpath([path.parent for path in places]))


def _whole_files(root: Path) -> list[Path]:
    return sorted([*root.glob('*.json'), *root.glob('annotations/*.json')])


def _divided(split: Split, root: Path) -> dict[str, Split | None]:
    """What is held out of a split, and what is left of it."""
    content = json.loads(split.annotations.path.read_bytes())
    held = held_out(image['file_name'] for image in content['images'])
    found: dict[str, Split | None] = {}
    for name in ('train', 'val'):
        images = [i for i in content['images'] if (i['file_name'] in held) == (name == 'val')]
        known = {image['id'] for image in images}
        objects = [one for one in content.get('annotations', ()) if one.get('image_id') in known]
        part = {**content, 'images': images, 'annotations': objects}
        note = told_held_out(len(held), len(content['images'])) if name == 'val' else 'the others'
        note = f'{split.note}; {note}' if split.note else note
        file = AnnotationFile.read(written(part, root, name))
        found[name] = Split(file, split.images, note)
    return found


def _find_images(root: Path, split: str, annotations: AnnotationFile) -> Path:
    """The folder that has the first image; whether all are there is checked later."""
    if not annotations.images:
        raise UserError(f'{annotations.path} lists no images.')
    first = annotations.images[0].name
    folders = list(dict.fromkeys(_image_folders(root, split, annotations.path)))
    for folder in folders:
        if (folder / first).is_file():
            return folder
    looked = ', '.join(str(folder) for folder in folders)
    raise UserError(f"{annotations.path}: its first image '{first}' is in none of {looked}.")


def _image_folders(root: Path, split: str, file: Path) -> Iterator[Path]:
    if file.parent not in (root, root / 'annotations'):
        yield file.parent
    for name in (file.stem.removeprefix('instances_'), *spelled(split)):
        yield from (root / pattern.format(name) for pattern in _IMAGES)


def _classes(splits: list[Split]) -> tuple[str, ...]:
    """The names that all splits agree on, in the order of the first."""
    files = [split.annotations for split in splits]
    used = {number for file in files for number in file.objects.categories}
    # Roboflow puts the group of its classes first, as category 0 without any object.
    names = [
        tuple(one.name for one in file.categories if one.number != 0 or 0 in used) for file in files
    ]
    if not names[0] or len(set(names[0])) < len(names[0]):
        raise UserError(
            f'{files[0].path}: every class must have a name of its own, but the categories are '
            f'{", ".join(names[0]) or "none"}.'
        )
    for file, other in zip(files, names, strict=True):
        if sorted(other) != sorted(names[0]):
            raise UserError(
                f'{files[0].path} has the categories {", ".join(names[0])}, but {file.path} has '
                f'{", ".join(other)}: they must be the same.'
            )
    return names[0]
