"""The files of the published versions, and how to read one of them.

Sources: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009), and its
download page, for names, formats and the sums of the archives; torchvision's
``datasets.CIFAR10`` and ``CIFAR100`` for the sums of the single pickles.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeGuard

import numpy as np

from rethink_det.datasets.cifar.pickles import PickledArray, load_fields, text
from rethink_det.errors import UserError

PIXELS = 3 * 32 * 32
Part = tuple[np.ndarray, np.ndarray]
"""Images uint8 (N, 3, 32, 32) and labels int64 (N,) of one file."""


@dataclass(frozen=True)
class Version:
    """One published form of a data set: its archive, the same as a folder, and the readers.

    ``splits`` names the files of 'train' and 'test', ``names`` the file of the class names;
    ``md5`` has the published sums, by file name.
    """

    archive: str
    folder: str
    splits: Mapping[str, tuple[str, ...]]
    names: str
    read: Callable[[bytes, Path], Part]
    read_names: Callable[[bytes, Path], list[str]]
    md5: Mapping[str, str] = field(default_factory=dict)


def read_pickle(content: bytes, file: Path, labels: str) -> Part:
    """A file of the Python version: ``data`` uint8 (N, 3072) and a list of labels.

    Raises:
        UserError: Damaged, unsafe or of another content.
    """
    fields = load_fields(content, file)
    data, found = fields.get('data'), fields.get(labels)
    try:
        if not isinstance(data, PickledArray) or not _all_ints(found):
            raise ValueError(f'it has {", ".join(map(str, fields))}')
        return data.bytes_array().reshape(len(found), 3, 32, 32), np.array(found, dtype=np.int64)
    except (ValueError, TypeError, OverflowError) as error:
        raise UserError(
            f'{file}: expected data, uint8 (N, {PIXELS}), and {labels}, a list of N integers '
            f'({error}); fetch the archive again'
        ) from error


def _all_ints(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(isinstance(value, int) for value in values)


def read_pickled_names(content: bytes, file: Path, key: str) -> list[str]:
    """The class names in the Python version's ``meta`` file.

    Raises:
        UserError: Damaged, unsafe or without the names.
    """
    names = load_fields(content, file).get(key)
    if not isinstance(names, list):
        raise UserError(f'{file}: expected a list {key}; fetch the archive again')
    return [str(text(name)) for name in names]


def read_binary(content: bytes, file: Path, label_bytes: int) -> Part:
    """A file of the binary version: records of labels, the last one counts, and 3072 pixels.

    Raises:
        UserError: Not a whole number of records.
    """
    size = label_bytes + PIXELS
    if not content or len(content) % size:
        raise UserError(
            f'{file}: {len(content)} bytes, expected a multiple of {size}, the size of a record; '
            'it is cut short or damaged: fetch the archive again'
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    images = records[:, label_bytes:].reshape(-1, 3, 32, 32)
    return images, records[:, label_bytes - 1].astype(np.int64)


def read_listed_names(content: bytes, file: Path) -> list[str]:
    """The class names in a text file, one a line."""
    return content.decode('utf-8', errors='replace').split()


BATCHES = tuple(f'data_batch_{number}' for number in range(1, 6))

CIFAR10_VERSIONS = (
    Version(
        archive='cifar-10-python.tar.gz',
        folder='cifar-10-batches-py',
        splits=dict(train=BATCHES, test=('test_batch',)),
        names='batches.meta',
        read=partial(read_pickle, labels='labels'),
        read_names=partial(read_pickled_names, key='label_names'),
        md5={
            'data_batch_1': 'c99cafc152244af753f735de768cd75f',
            'data_batch_2': 'd4bba439e000b95fd0a9bffe97cbabec',
            'data_batch_3': '54ebc095f3ab1f0389bbae665268c751',
            'data_batch_4': '634d18415352ddfa80567beed471001a',
            'data_batch_5': '482c414d41f54cd18b22e5b47cb7c3cb',
            'test_batch': '40351d587109b95175f43aff81a1287e',
            'batches.meta': '5ff9c542aee3614f3951f8cda6e48888',
        },
    ),
    Version(
        archive='cifar-10-binary.tar.gz',
        folder='cifar-10-batches-bin',
        splits=dict(train=tuple(f'{name}.bin' for name in BATCHES), test=('test_batch.bin',)),
        names='batches.meta.txt',
        read=partial(read_binary, label_bytes=1),
        read_names=read_listed_names,
        md5={'cifar-10-binary.tar.gz': 'c32a1d4ab5d03f1284b67883e8d87530'},
    ),
)

CIFAR100_VERSIONS = (
    Version(
        archive='cifar-100-python.tar.gz',
        folder='cifar-100-python',
        splits=dict(train=('train',), test=('test',)),
        names='meta',
        read=partial(read_pickle, labels='fine_labels'),
        read_names=partial(read_pickled_names, key='fine_label_names'),
        md5={
            'train': '16019d7e3df5f24257cddd939b257f8d',
            'test': 'f0ef6b0ae62326f3e7ffdfab6717acfc',
            'meta': '7973b15100ade9c7d40fb424638fde48',
        },
    ),
    Version(
        archive='cifar-100-binary.tar.gz',
        folder='cifar-100-binary',
        splits=dict(train=('train.bin',), test=('test.bin',)),
        names='fine_label_names.txt',
        read=partial(read_binary, label_bytes=2),  # the coarse label stands first
        read_names=read_listed_names,
        md5={'cifar-100-binary.tar.gz': '03b5dce01913d631647c71ecec9e9cb8'},
    ),
)
