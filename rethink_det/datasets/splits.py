"""Which stored images a split is made of: a part held out for validation, a limit."""

from collections.abc import Sequence

import numpy as np
import torch

from rethink_det.bounds import is_int
from rethink_det.datasets.tensor import balanced_subset
from rethink_det.errors import UserError

HOLD_OUT_SEED = 20181010
"""One for all runs: what is held out must not depend on a run's own seed."""


def stored_split(split: str, val: int) -> str:
    """The split on disk that ``split`` is taken from: 'val' is a part of 'train'.

    Raises:
        UserError: Unknown split, or 'val' while nothing is held out.
    """
    if split not in ('train', 'val', 'test'):
        raise UserError(f"split={split!r}: expected 'train', 'val' or 'test'")
    if split == 'val' and not val:
        raise UserError(
            f"split='val' with val={val}: set val to the number of training images to hold out, "
            "e.g. val=5000, in the training set's config too"
        )
    return 'test' if split == 'test' else 'train'


def choose(
    labels: torch.Tensor,
    classes: Sequence[str],
    split: str = 'train',
    val: int = 0,
    limit: int | None = None,
) -> torch.Tensor:
    """Sorted indices, int64 (M,), of the images of a split.

    Args:
        labels: Of all images on disk, int64 (N,).
        classes: Class names in label order.
        split: 'train' (what is not held out), 'val' (what is) or 'test' (everything).
        val: How many training images are held out, the same number of each class, drawn
            once and for all.
        limit: Keep only this many of the split, the first ``limit / len(classes)`` of each
            class.

    Raises:
        UserError: ``val`` or ``limit`` is no multiple of the number of classes, or more
            than there is.
    """
    chosen = torch.arange(len(labels))
    if val and split != 'test':
        held = _held_out(labels, classes, val)
        chosen = chosen[held if split == 'val' else ~held]
    if limit is not None:
        chosen = chosen[balanced_subset(labels[chosen], classes, limit)]
    return chosen


def _held_out(labels: torch.Tensor, classes: Sequence[str], val: int) -> torch.Tensor:
    """Whether an image is held out, bool (N,)."""
    share, rest = divmod(val, len(classes)) if is_int(val) else (0, 0)
    smallest = int(labels.bincount(minlength=len(classes)).min())
    if rest or not 0 < share < smallest:
        raise UserError(
            f'val={val!r}: expected a multiple of {len(classes)}, the number of classes, and less '
            f'than {len(classes) * smallest}, so that each class keeps images to train on'
        )
    # RandomState, because NumPy promises that its numbers never change.
    random, held = np.random.RandomState(HOLD_OUT_SEED), torch.zeros(len(labels), dtype=torch.bool)
    for label in range(len(classes)):
        found = torch.nonzero(labels == label).flatten()
        held[found[torch.from_numpy(random.permutation(len(found))[:share])]] = True
    return held
