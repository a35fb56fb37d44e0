"""Decoded images kept beside the data: made once, mapped by every process that reads them.

A mapped file's pages are the operating system's own copy of it. However many runs read a
data set on one machine, it is in memory once, and the second run starts at once.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.logging import print_log

from rethink_det.datasets.atomic_folder import FolderError, build_folder
from rethink_det.errors import UserError
from rethink_det.files import replacing, save_json

FOLDER = 'decoded'
CARD = 'card.json'
FORMAT = 1


class Decoded(NamedTuple):
    """The images of one split, ready for the network's preprocessor."""

    images: torch.Tensor
    """uint8 (N, 3, H, W), RGB."""
    labels: torch.Tensor
    """int64 (N,)."""
    classes: tuple[str, ...]
    """Names in label order."""
    notes: tuple[str, ...] = ()
    """What a reader is to be warned of each time."""


def decoded(
    root: Path,
    name: str,
    key: str,
    files: Iterable[Path],
    decode: Callable[[], Decoded],
    cache: bool = True,
) -> Decoded:
    """What ``decode`` gives, from ``<root>/decoded/<name>-<digest>`` if that is there already.

    Any number of processes may ask at once: one decodes, the others wait for it and map the
    same pages. Writing to such a tensor changes this process's own copy of the page alone.
    If the folder cannot be written, each process decodes for itself and says so.

    Args:
        root: Folder of the data.
        name: Says what it is, e.g. 'cifar10-train'.
        key: Whatever else the content depends on.
        files: What is decoded; a file of another name, size or time makes another digest.
        decode: Reads the files.
        cache: If False, only decode.

    Raises:
        UserError: From ``decode``, or the folder is there but damaged.
    """
    found = _from_folder(root / FOLDER / f'{name}-{_digest(root, key, files)}', decode, cache)
    for note in found.notes:
        warnings.warn(note, stacklevel=3)
    return found


def _from_folder(folder: Path, decode: Callable[[], Decoded], cache: bool) -> Decoded:
    if not cache:
        return decode()
    try:
        build_folder(folder, (folder / CARD).is_file, lambda draft: _write(draft, decode()))
    except FolderError as error:
        print_log(f'{error}. Until then, each run holds its own copy in memory.', 'current')
        return decode()
    return _read(folder)


def _digest(root: Path, key: str, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(f'{FORMAT} {key}'.encode())
    start = len(str(root))
    for file in files:
        status, name = file.stat(), str(file)[start:]
        digest.update(f'\0{name}\0{status.st_size} {status.st_mtime_ns}'.encode())
    return digest.hexdigest()[:16]


def _write(folder: Path, data: Decoded) -> None:
    for name in ('images', 'labels'):
        with replacing(folder / f'{name}.npy') as file:
            np.save(file, np.ascontiguousarray(getattr(data, name).numpy()))
    save_json(dict(classes=data.classes, notes=data.notes), folder / CARD)


def _read(folder: Path) -> Decoded:
    try:
        # 'c' is copy on write: shared until somebody writes, and the file never changes.
        images = np.load(folder / 'images.npy', mmap_mode='c', allow_pickle=False)
        labels = np.load(folder / 'labels.npy', allow_pickle=False)
        card = json.loads((folder / CARD).read_text(encoding='utf-8'))
        classes, notes = tuple(card['classes']), tuple(card['notes'])
        return Decoded(torch.from_numpy(images), torch.from_numpy(labels), classes, notes)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{folder}: damaged ({error}); remove this folder, it will be made again'
        ) from error
