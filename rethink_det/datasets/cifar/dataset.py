"""CIFAR-10 and CIFAR-100 in one uint8 tensor, shared by all runs on a machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from rethink_det.datasets.cifar.source import Source, find_source
from rethink_det.datasets.cifar.versions import CIFAR10_VERSIONS, CIFAR100_VERSIONS, Version
from rethink_det.datasets.decoded import Decoded, decoded
from rethink_det.datasets.splits import choose, stored_split
from rethink_det.datasets.tensor import ImageTensorDataset
from rethink_det.errors import UserError
from rethink_det.registry import DATASETS

OFFICIAL = dict(train=50_000, test=10_000)


class _Cifar(ImageTensorDataset):
    """What the two have in common."""

    title: ClassVar[str]
    versions: ClassVar[Sequence[Version]]
    classes: ClassVar[int]

    def __init__(
        self,
        data_root: str | Path,
        split: str = 'train',
        limit: int | None = None,
        val: int = 0,
        cache: bool = True,
    ) -> None:
        stored = stored_split(split, val)
        root = Path(data_root).expanduser()
        source = find_source(root, self.title, self.versions)
        members = (*source.version.splits[stored], source.version.names)

        def decode() -> Decoded:
            whole = _decode(source, members, self.classes, OFFICIAL[stored])
            chosen = choose(whole.labels, whole.classes, split, val, limit)
            if len(chosen) == len(whole.labels):
                return whole
            return whole._replace(images=whole.images[chosen], labels=whole.labels[chosen])

        name = f'{self.title.lower().replace("-", "")}-{split}'
        data = decoded(root, name, f'{val} {limit}', source.files(members), decode, cache)
        super().__init__(data.images, data.labels, data.classes)


@DATASETS.register_module()
class CIFAR10(_Cifar):
    """CIFAR-10 from its official files: 50,000 training and 10,000 test images of 32 x 32.

    Class n is the n-th name of the archive, airplane to truck, which is also the order of an
    ``ImageFolder`` with a folder for each class: the names are in alphabetical order.

    The images are decoded once, into ``<data_root>/decoded``, and mapped from there: any
    number of runs on one machine share one copy in memory.

    Args:
        data_root: Folder that holds ``cifar-10-batches-py/`` or ``cifar-10-batches-bin/``, or
            ``cifar-10-python.tar.gz`` or ``cifar-10-binary.tar.gz`` as it was downloaded; the
            first found in this order is read, archives without extracting them. Pickles are
            read without running what they ask for.
        split: 'train', 'test', or 'val', the part of the training set that ``val`` holds out.
        limit: Keep only this many, the first ``limit / classes`` of each class.
        val: Training images to hold out, class-balanced and the same in every run; give the
            same number to 'train' and to 'val'. The paper holds out none.
        cache: If False, decode into this process's own memory and write nothing.

    Attributes:
        title: Its name, in messages.
        versions: The forms that its official files come in.

    Raises:
        UserError: Nothing found, a file missing, damaged or asking for code, a split or number
            that does not fit. A file of another sum than the published one is a warning.
    """

    title = 'CIFAR-10'
    versions = CIFAR10_VERSIONS
    classes = 10


@DATASETS.register_module()
class CIFAR100(_Cifar):
    """CIFAR-100 from its official files, with the 100 fine labels; otherwise as ``CIFAR10``.

    Args:
        data_root: Folder that holds ``cifar-100-python/`` or ``cifar-100-binary/``, or
            ``cifar-100-python.tar.gz`` or ``cifar-100-binary.tar.gz``.
        split: As for ``CIFAR10``.
        limit: As for ``CIFAR10``.
        val: As for ``CIFAR10``.
        cache: As for ``CIFAR10``.

    Attributes:
        title: Its name, in messages.
        versions: The forms that its official files come in.

    Raises:
        UserError: As ``CIFAR10``.
    """

    title = 'CIFAR-100'
    versions = CIFAR100_VERSIONS
    classes = 100


def _decode(source: Source, members: Sequence[str], count: int, official: int) -> Decoded:
    """The images of these members; the last member has the names of the ``count`` classes."""
    contents = source.read(members)
    *files, names = members
    classes = source.version.read_names(contents[names], source.path / names)
    if len(classes) != count:
        raise UserError(
            f'{source.path / names}: {len(classes)} class names, expected {count}; '
            'fetch the archive again'
        )
    notes = source.complaints(contents)
    parts = [source.version.read(contents[file], source.path / file) for file in files]
    for file, (_, labels) in zip(files, parts, strict=True):
        if len(labels) and not 0 <= labels.min() <= labels.max() < count:
            raise UserError(
                f'{source.path / file}: labels {labels.min()} to {labels.max()}, expected '
                f'0 to {count - 1}; fetch the archive again'
            )
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if len(labels) != official:
        notes.append(f'{source.path}: {len(labels)} images, the official files have {official}')
    return Decoded(torch.from_numpy(images), torch.from_numpy(labels), tuple(classes), tuple(notes))
