"""Test sets drawn anew from the test images: how often each image is in each of them.

The bootstrap: a test set is itself a draw from all images there could have been, and one of the
same size, drawn from its images with replacement, stands to it as it stands to them.

The draws follow from the digest of the test images alone. Two networks that were evaluated on the
same images are thus asked about the same draws, wherever and whenever that was, and what they
differ by on each draw is known by subtraction.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 8.
"""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

DRAWS = 1000
"""Test sets that are drawn."""
BEHAVIOUR = b'rethink_det.image_draws 1\0'
"""Begins all that is digested: raised by hand when the draws change, and old ones do not pair."""
CELLS = 2**21
"""Counts that are held at once, about."""


def digest_of(parts: Iterable[bytes]) -> str:
    """The digest of a test set, 64 hex digits.

    Args:
        parts: All that tells it from another one, in an order that does not depend on the run.
    """
    found = hashlib.sha256(BEHAVIOUR)
    for part in parts:
        found.update(len(part).to_bytes(8, 'little') + part)
    return found.hexdigest()


def image_draws(digest: str, images: int, draws: int = DRAWS) -> Iterator[np.ndarray]:
    """How often each image is in each drawn test set, some of these at a time.

    The k-th draw is the same however many are asked for.

    Args:
        digest: Of the test images.
        images: How many these are.
        draws: How many test sets are drawn.

    Yields:
        Counts, float64 (images, some draws); each column has the sum ``images``.

    Raises:
        ValueError: There is no image.
    """
    if images < 1:
        raise ValueError('there is no image to draw from')
    # RandomState, because NumPy promises that its numbers never change.
    random = np.random.RandomState(np.frombuffer(bytes.fromhex(digest), '<u4'))
    at_once = max(1, min(draws, CELLS // images))
    for first in range(0, draws, at_once):
        chosen = random.randint(images, size=(min(at_once, draws - first), images))
        counts = [np.bincount(one, minlength=images) for one in chosen]
        yield np.stack(counts, 1).astype(np.float64)
