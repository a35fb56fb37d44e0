"""ImageNet in the usual folders, decoded and cropped by the data loader's workers."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.io import ImageReadMode, decode_image, read_file
from torchvision.transforms import v2

from rethink_det.bounds import check_count
from rethink_det.datasets.epoch_sampler import Draw
from rethink_det.datasets.image_folder import check_same_folders
from rethink_det.datasets.tensor import balanced_subset
from rethink_det.errors import UserError
from rethink_det.registry import DATASETS

SUFFIXES = ('.jpeg', '.jpg', '.png')
LAYOUT = 'expected <data_root>/{train,val}/<wnid>/<image>.JPEG'


@DATASETS.register_module()
class ImageNet(Dataset):
    """Reads ``<data_root>/{train,val}/<wnid>/*.JPEG``; class n is the n-th wnid, sorted.

    Items are ``dict(inputs=uint8 (3, size, size) RGB, gt_label=int64 ())``. Normalisation is
    left to the model, ``ImagePreprocessor`` with ``pad=0, flip=0``, a batch at a time on its
    device.

    The recipe of arXiv 1810.05270's code, which is PyTorch's ImageNet example: in training a
    random resized crop (8 to 100 % of the area, ratio 3/4 to 4/3) and a horizontal flip; in
    validation the short side to ``resize`` and the centre crop. That code decodes and resizes
    with Pillow; here both are torchvision's, on uint8 tensors, bilinear and antialiased as
    Pillow's. Pixels differ by rounding, by one of 255 levels at most (measured on 100
    photographs). A file that is not what its suffix says (one of the training set is a PNG, some
    are CMYK) is read by its content.

    With ``EpochSampler`` the augmentation depends on the run's seed, the epoch and the image
    alone. With any other sampler it comes from torch's global generator, which in persistent
    workers differs after a resumed run.

    Args:
        data_root: Folder of the splits.
        split: 'train', augmented, or 'val'.
        num_classes: Class folders that must be there.
        size: Height and width of the crop, pixels.
        resize: Short side in validation, pixels.
        limit: Keep only this many, the first ``limit / num_classes`` of each class by name.

    Attributes:
        folder: That of the split.
        transform: What is done to an image when it is read.

    Raises:
        UserError: A folder is missing or empty, there are more or fewer classes, or others than
            in the other split, ``limit``
            does not fit, ``size`` is below 1 or, in validation, above ``resize``; or, when an
            item is fetched, its file is not readable.
    """

    def __init__(
        self,
        data_root: str | Path,
        split: str = 'train',
        num_classes: int = 1000,
        size: int = 224,
        resize: int = 256,
        limit: int | None = None,
    ) -> None:
        if split not in ('train', 'val'):
            raise UserError(f"split={split!r}: expected 'train' or 'val'")
        check_count('size', size)
        if split == 'val':  # the centre crop of a smaller image would have a black frame
            check_count('resize', resize, least=size)
        self.folder = Path(data_root).expanduser() / split
        self._classes = split_folders(self.folder, num_classes)
        self._check_other(self.folder.parent / ('val' if split == 'train' else 'train'))
        self._names, self.labels = _list(self.folder, self._classes)
        if limit is not None:
            chosen = balanced_subset(self.labels, self._classes, limit)
            self._names, self.labels = self._names[chosen.numpy()], self.labels[chosen]
        self.transform = _augmented(size) if split == 'train' else _centred(size, resize)

    def _check_other(self, other: Path) -> None:
        """The other split, where it is there, has the same classes."""
        names = _listed_folders(other) if other.is_dir() else ()
        if names:
            check_same_folders(self.folder, self._classes, other, names)

    @property
    def metainfo(self) -> dict:
        """``dict(classes=(...))``, the wnids in label order."""
        return dict(classes=self._classes)

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, index: int) -> Path:
        """The file of an image."""
        return self.folder / self._classes[self.labels[index]] / os.fsdecode(self._names[index])

    def __getitem__(self, item: int | Draw) -> dict:
        """``dict(inputs=uint8 (3, size, size), gt_label=int64 ())``."""
        index = item.image if isinstance(item, Draw) else item
        image = _read(self.path(index))
        with _drawing(item):
            return dict(inputs=self.transform(image), gt_label=self.labels[index])


def _augmented(size: int) -> v2.Transform:
    return v2.Compose([v2.RandomResizedCrop(size, antialias=True), v2.RandomHorizontalFlip()])


def _centred(size: int, resize: int) -> v2.Transform:
    return v2.Compose([v2.Resize(resize, antialias=True), v2.CenterCrop(size)])


@contextlib.contextmanager
def _drawing(item: int | Draw) -> Iterator[None]:
    """Random numbers of the draw's own, if it is one; the global generator is as before after."""
    if not isinstance(item, Draw):
        yield
        return
    generator = torch.default_generator
    before = generator.get_state()
    generator.manual_seed(item.random_seed())
    try:
        yield
    finally:
        generator.set_state(before)


def split_folders(folder: Path, count: int) -> tuple[str, ...]:
    """The class folders of a split, sorted.

    Raises:
        UserError: There is no such folder, or not so many in it.
    """
    if not folder.is_dir():
        raise UserError(f'{folder}: no such folder; {LAYOUT}')
    found = _listed_folders(folder)
    if len(found) != count:
        hint = (
            'the images of val/ must be sorted into a folder for each class'
            if not found
            else f'get the rest, or set num_classes={len(found)} in the data sets and in the head'
        )
        raise UserError(
            f'{folder}: {len(found)} class folders, expected num_classes={count}; {LAYOUT}: {hint}'
        )
    return tuple(found)


def _listed_folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith('.'))


def _list(folder: Path, classes: tuple[str, ...]) -> tuple[np.ndarray, Tensor]:
    """File names, bytes (N,), and labels, int64 (N,).

    One array and not a list of a million paths, which each worker would copy by counting
    references.
    """
    names, labels = [], []
    for label, wnid in enumerate(classes):
        with os.scandir(folder / wnid) as entries:
            found = sorted(e.name for e in entries if e.name.lower().endswith(SUFFIXES))
        if not found:
            raise UserError(
                f'{folder / wnid}: no images; expected files that end in {", ".join(SUFFIXES)}'
            )
        names.append(np.array([os.fsencode(name) for name in found]))
        labels.append(torch.full((len(found),), label))
    return np.concatenate(names), torch.cat(labels)


def _read(path: Path) -> Tensor:
    """One image, uint8 (3, H, W), RGB, whatever it is encoded in."""
    try:
        image = decode_image(read_file(str(path)), mode=ImageReadMode.RGB)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f'{path}: not readable as an image ({reason}); fetch it again or remove it'
        ) from error
    return image if image.dtype == torch.uint8 else (image.to(torch.int32) >> 8).to(torch.uint8)
