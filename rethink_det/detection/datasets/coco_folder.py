"""A folder of images with COCO annotations, in the layouts that are around."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rethink_det.detection.datasets.annotation_file import NO_MASK, AnnotationFile
from rethink_det.errors import UserError

# What a split is called, and where its annotations are: COCO's way, Roboflow's, and simpler ones.
_NAMES = {'train': ('train',), 'val': ('val', 'valid', 'validation'), 'test': ('test',)}
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
    """

    annotations: AnnotationFile
    images: Path

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
        train, val, test = (_find_split(root, name, usual.get(name)) for name in _NAMES)
        if test is None or not len(test.annotations.objects):
            test = val
        val = val or test
        if train is None or val is None or test is None:
            name = 'train' if train is None else 'val'
            looked = ', '.join(_patterns(name, usual.get(name)))
            raise UserError(f'{root} has no annotations of {name}; looked for {looked}.')
        return cls(root, train, val, test, _classes([train, val, test]))


def _patterns(split: str, usual: str | None) -> list[str]:
    names = [pattern.format(name) for pattern in _ANNOTATIONS for name in _NAMES[split]]
    return [usual, *names] if usual else names


def _find_split(root: Path, split: str, usual: str | None) -> Split | None:
    for pattern in _patterns(split, usual):
        files = sorted(root.glob(pattern))
        if len(files) > 1:
            names = ', '.join(str(file.relative_to(root)) for file in files)
            raise UserError(f'{root} has several annotation files of {split}: {names}; leave one.')
        if files:
            annotations = AnnotationFile.read(files[0])
            return Split(annotations, _find_images(root, split, annotations))
    return None


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
    for name in (file.stem.removeprefix('instances_'), *_NAMES[split]):
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
