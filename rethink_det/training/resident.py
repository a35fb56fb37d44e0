"""A data set that lies whole in the memory of the device that trains on it."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from rethink_det.errors import UserError


class ResidentBatches:
    """The batches of a data loader, cut out of its data set's tensors on a device.

    They are those of the loader itself, in its order and by its sampler, but no worker, copy
    to the device or collating is involved. Images lie in channels-last memory format, for
    which :meth:`to` makes a copy of the data set.

    Args:
        loader: Its data set has ``images`` uint8 ``(N, C, H, W)`` and ``labels`` ``(N,)``, and
            puts nothing else into a batch.

    Raises:
        UserError: The data set is of another kind, or it or the loader's ``collate_fn`` makes
            something else of the images.
    """

    def __init__(self, loader: DataLoader) -> None:
        if loader.batch_sampler is None:
            raise UserError('FastEpochLoop needs batches: give the data loader a batch_size.')
        self._loader, self._sampler = loader, loader.batch_sampler
        self._images, self._labels = _tensors(loader)
        self._shape = self._images.shape[1:]

    def to(self, device: torch.device) -> None:
        """Move the data set to ``device``, image by image channels last."""
        if self._images.ndim == 4:
            self._images = self._images.to(device).permute(0, 2, 3, 1).flatten(1)
            self._labels = self._labels.to(device)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """One epoch: dicts of ``inputs`` uint8 ``(B, C, H, W)`` and ``gt_label`` ``(B,)``."""
        # The seed that a loader draws for its workers, whether or not it has any: leaving it
        # out would shift all random numbers that follow.
        torch.empty((), dtype=torch.int64).random_(generator=self._loader.generator)
        batches = list(self._sampler)
        # One transfer an epoch, not one a step.
        numbers = torch.tensor(list(chain(*batches))).to(self._labels.device)
        channels, height, width = self._shape
        for chosen in numbers.split([len(batch) for batch in batches]):
            images = self._images.index_select(0, chosen).view(-1, height, width, channels)
            yield {'inputs': images.permute(0, 3, 1, 2), 'gt_label': self._labels[chosen]}


def _tensors(loader: DataLoader) -> tuple[Tensor, Tensor]:
    dataset: Any = loader.dataset
    images, labels = getattr(dataset, 'images', None), getattr(dataset, 'labels', None)
    if isinstance(images, Tensor) and isinstance(labels, Tensor):
        paired = images.ndim == 4 and 0 < len(images) == len(labels) == len(dataset)
        if paired and _is_plain(loader, images, labels):
            return images, labels
    raise UserError(
        'FastEpochLoop needs a data set that is one tensor of images and one of labels, such '
        "as rethink_det.ImageFolder, with collate_fn=dict(type='rethink_det.batch_collate'); "
        f'{type(dataset).__name__} with this collate_fn is none. Use '
        'train_cfg=dict(by_epoch=True, ...) instead.'
    )


def _is_plain(loader: DataLoader, images: Tensor, labels: Tensor) -> bool:
    """Whether the loader makes of the first and last image just these two images."""
    ends = [0, len(labels) - 1]
    dataset: Any = loader.dataset
    several = getattr(dataset, '__getitems__', lambda chosen: [dataset[i] for i in chosen])
    batch = loader.collate_fn(several(ends))
    if not isinstance(batch, dict) or batch.keys() != {'inputs', 'gt_label'}:
        return False
    found = (batch['inputs'], images[ends]), (batch['gt_label'], labels[ends])
    return all(isinstance(got, Tensor) and torch.equal(got, own) for got, own in found)
