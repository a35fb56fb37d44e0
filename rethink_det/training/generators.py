"""Random numbers of one's own, whatever was drawn before."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def mixed(*numbers: int) -> int:
    """A seed of 32 bits that all ``numbers`` and their order have a share in.

    A sum does not do: seed 1 would draw in an epoch what seed 0 draws in the next.

    Args:
        numbers: Not below 0.
    """
    # The key tells how many there are: NumPy fills up with zeros, (1,) would be (1, 0).
    words = np.random.SeedSequence(numbers, spawn_key=(len(numbers),))
    return int(words.generate_state(1)[0])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's, NumPy's and torch's CPU generator start from ``seed``; put back afterwards."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
