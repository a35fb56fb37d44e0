"""Folders of equal-sized small images, such as CIFAR unpacked to files."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from rethink_det.datasets.decoded import Decoded, decoded
from rethink_det.datasets.progress_bar import progress
from rethink_det.datasets.splits import choose, stored_split
from rethink_det.datasets.tensor import ImageTensorDataset
from rethink_det.errors import UserError
from rethink_det.registry import DATASETS

SUFFIXES = ('.jpg', '.jpeg', '.png')
_DEPTH = '16 bits'  # what was decoded before 16 bits were read is not taken


@DATASETS.register_module()
class ImageFolder(ImageTensorDataset):
    """Reads ``<data_root>/<split>/<class>/<n>.jpg`` (or .png) into memory, once.

    The pixels are kept in ``<data_root>/decoded`` and mapped from there: the next run starts
    at once, and any number of runs on one machine share one copy in memory.

    Args:
        data_root: Folder of the splits.
        split: 'train', 'test', or 'val', the part of the training set that ``val`` holds out.
        limit: Read only this many: of each class the first ``limit / classes`` files in
            numeric order. It must be a multiple of the number of classes.
        classes: Class folders in label order; by default all, sorted by name (which is
            CIFAR-10's own order).
        val: Training images to hold out, class-balanced and the same in every run; give the
            same number to 'train' and to 'val'.
        cache: If False, decode into this process's own memory and write nothing.

    Raises:
        UserError: A folder is missing or empty, a class is unknown, ``limit`` or ``val``
            does not fit, or an image cannot be read or has another size than the first.
    """

    def __init__(
        self,
        data_root: str | Path,
        split: str = 'train',
        limit: int | None = None,
        classes: Sequence[str] | None = None,
        val: int = 0,
        cache: bool = True,
    ) -> None:
        root = Path(data_root).expanduser()
        folder = root / stored_split(split, val)
        classes = (
            class_folders(root, folder.name) if classes is None else given_folders(folder, classes)
        )
        listed = [
            (path, i) for i, name in enumerate(classes) for path in image_files(folder / name)
        ]
        labels = torch.tensor([label for _, label in listed])
        chosen = choose(labels, classes, split, val, limit)
        paths = [listed[i][0] for i in chosen.tolist()]

        def decode() -> Decoded:
            return Decoded(_decode(paths), labels[chosen], tuple(classes))

        data = decoded(root, split, f'{_DEPTH} {" ".join(classes)}', paths, decode, cache)
        super().__init__(data.images, data.labels, classes)


def _are_different_names(wanted: object) -> bool:
    if not isinstance(wanted, (list, tuple)) or not all(isinstance(name, str) for name in wanted):
        return False
    return 0 < len(set(wanted)) == len(wanted)


def class_folders(root: Path, split: str) -> list[str]:
    """The class folders of a stored split, in label order.

    A label is the place of a folder among the others: if the splits had other folders, it would
    mean another class in each.

    Raises:
        UserError: There is no folder, or the splits have not the same.
    """
    folder, other = root / split, root / ('test' if split == 'train' else 'train')
    found, others = _listed(folder), _folders_in(other) if other.is_dir() else []
    if others:
        check_same_folders(folder, found, other, others)
    return found


def check_same_folders(
    first: Path, names: Sequence[str], second: Path, others: Sequence[str]
) -> None:
    """Refuse two splits that have not the same class folders.

    Raises:
        UserError: Names the folder that one of them lacks.
    """
    both = (first, names, second, others), (second, others, first, names)
    for folder, own, other, theirs in both:
        missing = sorted(set(theirs) - set(own))
        if missing:
            raise UserError(
                f'{folder}: no class folder {", ".join(missing[:6])}, which {other} has. Labels '
                'count class folders, so all splits need the same: add it, or name those that all '
                'have in classes=[...] of every data set.'
            )


def _listed(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UserError(
            f'{folder}: no such folder; expected <data_root>/<split>/<class>/<n>.jpg, '
            'with split train or test'
        )
    found = _folders_in(folder)
    if not found:
        raise UserError(f'{folder}: holds no class folders; expected <class>/<n>.jpg in it')
    return found


def _folders_in(folder: Path) -> list[str]:
    paths = (path for path in folder.iterdir() if path.is_dir())
    return sorted(path.name for path in paths if not path.name.startswith('.'))


def given_folders(folder: Path, wanted: Sequence[str]) -> list[str]:
    """The class folders that a config names, in its order.

    Raises:
        UserError: They are no different names, or one is not there.
    """
    found = _listed(folder)
    if not _are_different_names(wanted):
        raise UserError(f'classes={wanted!r}: expected a list of different folder names')
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise UserError(
            f'{folder}: no class folder {", ".join(missing)}; there are {", ".join(found)}'
        )
    return list(wanted)


def image_files(folder: Path) -> list[Path]:
    """The images of one class, in the numeric order of their names."""
    paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    if not paths:
        raise UserError(f'{folder}: no images; expected files that end in {", ".join(SUFFIXES)}')
    return sorted(paths, key=_numeric)


def _numeric(path: Path) -> list[tuple[int, str]]:
    """Sorts 'n2.jpg' before 'n10.jpg'."""
    return [(int(part), '') if part.isdigit() else (-1, part) for part in _parts(path.name)]


def _parts(name: str) -> list[str]:
    return re.findall(r'[0-9]+|[^0-9]+', name)


def _decode(paths: list[Path]) -> torch.Tensor:
    """All images as uint8 (N, 3, H, W); the first one sets the size."""
    first = _read(paths[0])
    images = np.empty((len(paths), *first.shape), dtype=np.uint8)
    for i, path in enumerate(progress(paths, len(paths), 'Decoding images')):
        image = _read(path)
        if image.shape != first.shape:
            raise UserError(
                f'{path}: {image.shape[1]} x {image.shape[0]} pixels, expected '
                f'{first.shape[1]} x {first.shape[0]} like {paths[0]}'
            )
        images[i] = image
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def _read(path: Path) -> np.ndarray:
    """One image, uint8 (H, W, 3), RGB.

    Pillow clips what has more than 8 bits to white; here the upper 8 are kept, as OpenCV does.
    """
    try:
        with Image.open(path) as image:
            if image.mode.startswith('I'):
                grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.asarray(image.convert('RGB'))
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f'{path}: not readable as an image ({error})') from error
