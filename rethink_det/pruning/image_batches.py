"""Batches for methods that look at data, in whatever form a loader gives them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rethink_det.errors import UserError

Batch = Tensor | Sequence | Mapping
"""Images ``(N, C, H, W)``, ``(images, labels)``, or ``dict(inputs=..., gt_label=...)``, as the
network reads them (normalised). Labels are ``(N,)``, or a sequence of whatever the loss of the
network takes of each image."""
Labels = Tensor | Sequence | None


def image_batches(
    data: Iterable[Batch] | None, method: str, images: int
) -> Iterator[tuple[Tensor, Labels]]:
    """Pairs of images and labels (``None`` without) until ``images`` images are out.

    Fewer come if the data has fewer; the last batch is shortened to fit.

    Raises:
        UserError: There is no data, it yields nothing, or something that is no batch.
    """
    if data is None:
        raise UserError(f'{method} looks at images: pass data=loader.')
    left = images
    for batch in data:
        inputs, labels = _images_and_labels(batch, method)
        yield inputs[:left], None if labels is None else labels[:left]
        left -= len(inputs)
        if left <= 0:
            return
    if left == images:
        raise UserError(f'{method} looks at images, and the data yields no batch.')


def _images_and_labels(batch: Batch, method: str) -> tuple[Tensor, Labels]:
    images, labels = _of_any_form(batch)
    floats = isinstance(images, Tensor) and images.dim() == 4 and images.is_floating_point()
    if not floats or not len(images):
        raise UserError(
            f'{method}: a batch must be normalised images (N, C, H, W), a pair (images, labels) '
            f"or a dict with 'inputs'; got {_kind(batch)}."
        )
    return images, labels if isinstance(labels, (Tensor, Sequence)) else None


def _of_any_form(batch: Batch) -> tuple[Any, Any]:
    if isinstance(batch, Mapping):
        return batch.get('inputs'), batch.get('gt_label')
    if isinstance(batch, Tensor):
        return batch, None
    if isinstance(batch, Sequence) and batch:
        return batch[0], batch[1] if len(batch) > 1 else None
    return None, None


def _kind(batch: object) -> str:
    if isinstance(batch, Tensor):
        return f'a {batch.dtype} tensor of shape {tuple(batch.shape)}'
    return f'a {type(batch).__name__}'


def sample_images(data: Iterable[Batch] | None, method: str, images: int, like: Tensor) -> Tensor:
    """One tensor of up to ``images`` images on the device of ``like``; errors as above.

    Smaller ones are padded with zeros to the size of the largest, at the right and the bottom,
    as detectors pad a batch.
    """
    found = [inputs.to(like.device) for inputs, _ in image_batches(data, method, images)]
    height, width = (max(inputs.shape[side] for inputs in found) for side in (2, 3))
    return torch.cat([F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2])) for x in found])
