"""A classification data set that lives in one uint8 tensor."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import torch
from torch.utils.data import Dataset, default_collate

from rethink_det.bounds import is_int
from rethink_det.errors import UserError
from rethink_det.registry import FUNCTIONS

BATCH_COLLATE = 'rethink_det.batch_collate'


class Batch(dict):
    """A finished batch: ``inputs`` uint8 (B, 3, H, W) and ``gt_label`` int64 (B,)."""

    def __missing__(self, key: object) -> NoReturn:
        raise UserError(
            f'collate_fn: key {key!r} asked of a finished batch; set '
            f"collate_fn=dict(type='{BATCH_COLLATE}') in the data loader's config"
        )


class ImageTensorDataset(Dataset):
    """Images and labels in memory, indexed one by one or a batch at a time.

    A DataLoader fetches whole batches through ``__getitems__`` (one indexing operation
    instead of one per image), for which its ``collate_fn`` must be ``batch_collate``.

    Args:
        images: uint8 (N, 3, H, W), RGB.
        labels: int64 (N,), each in ``range(len(classes))``.
        classes: Class names in label order.
        limit: Keep this many images only, the first ``limit / len(classes)`` of each class
            in the given order; it must be a multiple of the number of classes.

    Raises:
        UserError: A tensor is not of the stated type or shape, a label has no class, or
            ``limit`` does not divide or exceeds what a class has.
    """

    def __init__(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        classes: Sequence[str],
        limit: int | None = None,
    ) -> None:
        _check(images, labels, classes)
        if limit is not None:
            chosen = balanced_subset(labels, classes, limit)
            images, labels = images[chosen], labels[chosen]
        self.images = images.contiguous()
        self.labels = labels
        self._classes = tuple(classes)

    @property
    def metainfo(self) -> dict:
        """``dict(classes=(...))``, the names in label order, as MMEngine's runner asks for."""
        return dict(classes=self._classes)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict:
        """``dict(inputs=uint8 (3, H, W), gt_label=int64 ())``."""
        return dict(inputs=self.images[index], gt_label=self.labels[index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """The finished batch of these indices, in their order."""
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        return Batch(inputs=self.images[chosen], gt_label=self.labels[chosen])


@FUNCTIONS.register_module()
def batch_collate(data: Batch | Sequence[Mapping]) -> Mapping:
    """Passes a finished batch through; stacks single items (a wrapped data set gives those)."""
    return data if isinstance(data, Mapping) else default_collate(list(data))


def check_split(split: str) -> str:
    """Returns ``split``; a ``UserError`` unless it is 'train' or 'test'."""
    if split not in ('train', 'test'):
        raise UserError(f"split={split!r}: expected 'train' or 'test'")
    return split


def balanced_subset(labels: torch.Tensor, classes: Sequence[str], limit: int) -> torch.Tensor:
    """Sorted indices, int64 (limit,), of the first ``limit / len(classes)`` of each class."""
    share, rest = divmod(limit, len(classes)) if is_int(limit) else (0, 0)
    if rest or share < 1:
        raise UserError(
            f'limit={limit!r}: expected a positive multiple of {len(classes)}, the number of '
            'classes, so that every class has the same share'
        )
    chosen = []
    for label, name in enumerate(classes):
        found = torch.nonzero(labels == label).flatten()
        if len(found) < share:
            raise UserError(
                f'limit={limit}: needs {share} images of each class, but {name!r} has '
                f'{len(found)}; take at most {len(classes)} times as many'
            )
        chosen.append(found[:share])
    return torch.cat(chosen).sort().values


def _check(images: torch.Tensor, labels: torch.Tensor, classes: Sequence[str]) -> None:
    named = isinstance(classes, (list, tuple)) and all(isinstance(c, str) for c in classes)
    if not named or len(set(classes)) != len(classes):
        raise UserError(f'classes: expected a list of different names, got {classes!r}')
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise UserError(
            f'images: expected uint8 (N, 3, H, W), got {images.dtype} {tuple(images.shape)}'
        )
    if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
        raise UserError(
            f'labels: expected int64 ({len(images)},), one per image, '
            f'got {labels.dtype} {tuple(labels.shape)}'
        )
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(classes):
        raise UserError(
            f'labels: {int(labels.min())} to {int(labels.max())}, but there are '
            f'{len(classes)} classes: {", ".join(classes)}'
        )
