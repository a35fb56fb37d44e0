"""A folder of pictures and maps of class numbers, in the usual layouts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from rethink_det.datasets.progress_bar import progress
from rethink_det.errors import UserError

LAYOUTS = (
    ('img_dir/{}', 'ann_dir/{}'),
    ('images/{}', 'annotations/{}'),
    ('images/{}', 'masks/{}'),
    ('images/{}', 'labels/{}'),
    ('{}/images', '{}/masks'),
)
"""Where pictures and maps of a split are."""
NAMES = {'train': ('train', 'training'), 'val': ('val', 'validation', 'valid')}
CLASSES = 'classes.txt'
"""Names of the classes by their numbers, a line each."""
IGNORED = 255
PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)
MAPS = ('.png', '.bmp', '.tif', '.tiff')


@dataclass(frozen=True)
class MapSplit:
    """Pictures of a split, each with its map.

    Attributes:
        pictures: Their folder.
        maps: That of the maps.
        picture_suffix: How the names of the pictures end.
        map_suffix: How those of the maps end.
        names: The names without that, sorted.
        unused: How many maps have no picture.
    """

    pictures: Path
    maps: Path
    picture_suffix: str
    map_suffix: str
    names: Sequence[str]
    unused: int

    def numbers(self) -> np.ndarray:
        """The class numbers in the maps, when each was compared with its picture; sorted.

        Raises:
            UserError: A map has another size than its picture, or cannot be read, or is of
                colours.
        """
        found = np.zeros(2**16, bool)
        for name in progress(self.names, len(self.names), f'Reading {self.maps}'):
            picture, path = self.pictures / f'{name}{self.picture_suffix}', self._map(name)
            values = _read(path)
            size = _size(picture)
            if size != values.shape[::-1]:
                raise UserError(
                    f'{path} is {values.shape[1]} x {values.shape[0]} pixels, its picture '
                    f'{picture} {size[0]} x {size[1]}: a map has a class number for each pixel.'
                )
            found[np.unique(values)] = True
        return np.flatnonzero(found)

    def _map(self, name: str) -> Path:
        return self.maps / f'{name}{self.map_suffix}'


@dataclass(frozen=True)
class MapFolder:
    """A data set for semantic segmentation.

    Attributes:
        root: Its folder.
        train: What is trained on.
        val: What is evaluated on.
        classes: Names of the classes, by their numbers.
        named: Whether a file names them.
    """

    root: Path
    train: MapSplit
    val: MapSplit
    classes: tuple[str, ...]
    named: bool

    @classmethod
    def find(cls, root: Path) -> 'MapFolder':
        """The data set in a folder; every map is read once.

        Raises:
            UserError: There is none in a layout that is known, or pictures and maps, or maps and
                names of classes, do not go together.
        """
        root = root.expanduser()
        train, val = (_split(root, name) for name in NAMES)
        numbers = {one.maps: one.numbers() for one in (train, val)}
        names = _names(root / CLASSES)
        most = max((int(n[n != IGNORED].max(initial=-1)) for n in numbers.values()), default=-1)
        if most < 1:
            raise UserError(f'{train.maps}: no map has two classes, 0 and 1 at the least.')
        for place, found in numbers.items():
            strange = found[(found != IGNORED) & (found >= len(names))] if names else found[:0]
            if strange.size:
                raise UserError(
                    f'{place} has pixels of the class {strange[0]}, and {root / CLASSES} names the '
                    f'classes 0 to {len(names) - 1}; {IGNORED} is ignored.'
                )
        counted = tuple(f'class {number}' for number in range(most + 1))
        return cls(root, train, val, names or counted, bool(names))


def _split(root: Path, split: str) -> MapSplit:
    tried = [(a.format(n), b.format(n)) for a, b in LAYOUTS for n in NAMES[split]]
    pairs = ((root / a, root / b) for a, b in tried)
    place = next((pair for pair in pairs if all(one.is_dir() for one in pair)), None)
    if place is None:
        known = ', '.join(f'{a} with {b}' for a, b in tried)
        raise UserError(f'{root}: no pictures with maps for {split}; looked for {known}.')
    pictures, maps = _files(place[0], PICTURES), _files(place[1], MAPS)
    names = sorted(_stems(pictures[0], pictures[1]))
    with_map = set(_stems(*maps))
    bare = [name for name in names if name not in with_map]
    if bare:
        raise UserError(
            f'{place[0]}: {len(bare)} of {len(names)} pictures have no map, the first is '
            f'{bare[0]}{pictures[0]}; it would be {place[1] / bare[0]}{maps[0]}.'
        )
    unused = len(with_map) - len(names)
    return MapSplit(*place, pictures[0], maps[0], tuple(names), unused)


def _files(folder: Path, suffixes: Sequence[str]) -> tuple[str, list[str]]:
    """How the files of a folder end, and their paths in it.

    The end is what all have in common, ``_gtFine_labelIds.png`` and the like are not guessed.
    """
    found = sorted(
        str(path.relative_to(folder)) for path in folder.rglob('*')
        if path.suffix.lower() in suffixes and not path.name.startswith('.')
    )  # fmt: skip
    ends = sorted({Path(name).suffix for name in found})
    if len(ends) != 1:
        kinds = f'of several kinds, {", ".join(ends)}: one is needed' if ends else 'not there'
        raise UserError(f'{folder}: the files are {kinds} (known are {", ".join(suffixes)}).')
    return ends[0], found


def _stems(suffix: str, names: Sequence[str]) -> Iterator[str]:
    return (name.removesuffix(suffix) for name in names)


def _names(file: Path) -> tuple[str, ...]:
    if not file.is_file():
        return ()
    try:
        lines = [line.strip() for line in file.read_text(encoding='utf-8').splitlines()]
    except (OSError, ValueError) as error:
        raise UserError(f'{file} cannot be read: {error}') from error
    names = tuple(filter(None, lines))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or len(names) < 2:
        what = f'{twice!r} stands there twice' if twice else 'two names are needed at the least'
        raise UserError(f'{file}: {what}; a line for each class, by its number.')
    return names


def _read(path: Path) -> np.ndarray:
    """Class numbers of a map, as mmsegmentation reads it (by Pillow)."""
    try:
        with Image.open(path) as image:
            values = np.asarray(image)
    except (OSError, ValueError) as error:
        raise UserError(f'{path} cannot be read: {error}') from error
    if values.ndim != 2:
        raise UserError(
            f'{path} has {values.shape[-1]} channels: a map has one, of class numbers. Colours are '
            'not class numbers.'
        )
    return values.astype(np.uint16)


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a picture as it is read, turned by its EXIF tag."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
            width, height = image.size
    except (OSError, ValueError) as error:
        raise UserError(f'{path} cannot be read as a picture: {error}') from error
    return (height, width) if turned else (width, height)
