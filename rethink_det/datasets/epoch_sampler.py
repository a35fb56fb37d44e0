"""A sampler that tells the data set the epoch, so that augmentation can depend on it."""

from collections.abc import Iterator, Sized
from typing import NamedTuple

import numpy as np
from mmengine.dataset import DefaultSampler

from rethink_det.errors import UserError
from rethink_det.registry import DATA_SAMPLERS


class Draw(NamedTuple):
    """An image to fetch, and all that its augmentation may depend on.

    Attributes:
        image: Its place in the data set.
        epoch: From 0 on.
        seed: The training's.
    """

    image: int
    epoch: int
    seed: int

    def random_seed(self) -> int:
        """A seed of 63 bits for this draw's own random numbers."""
        words = np.random.SeedSequence((self.seed, self.epoch, self.image)).generate_state(
            1, np.uint64
        )
        return int(words[0] >> np.uint64(1))


@DATA_SAMPLERS.register_module()
class EpochSampler(DefaultSampler):
    """MMEngine's ``DefaultSampler``, whose items are ``Draw``s instead of indices.

    Worker processes that outlive an epoch keep their own copy of the data set and of the
    random state. What they need to know therefore comes with each index: the same seed,
    epoch and index give the same image, for any number of workers and ranks and after a
    resumed run. Only for a data set that takes a ``Draw``, such as ``ImageNet``.

    Args:
        dataset: The data set.
        shuffle: Whether to shuffle, by seed and epoch.
        seed: The run's seed; MMEngine passes it.
        round_up: Whether to repeat images until all ranks have the same number.

    Raises:
        UserError: There is no image.
    """

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        if not len(dataset):
            raise UserError(f'EpochSampler: the {type(dataset).__name__} has no images.')
        super().__init__(dataset, shuffle, seed, round_up)

    def __iter__(self) -> Iterator[Draw]:
        """This rank's draws of the epoch that ``set_epoch`` named."""
        return (Draw(index, self.epoch, self.seed) for index in super().__iter__())
