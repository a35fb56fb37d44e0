"""What a training benchmark trains: a network on noise, the same for us and for the peer."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rethink_det.architecture import PrunedArchitecture
from rethink_det.errors import UserError

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
"""Of CIFAR-10's colours, on the scale 0..1."""

PAD, FLIP = 4, 0.5

SGD: dict[str, Any] = {'lr': 0.1, 'momentum': 0.9, 'weight_decay': 1e-4}


@dataclass(frozen=True)
class Workload:
    """A network, and how many images of noise it sees.

    Attributes:
        network: Name or file of an architecture.
        images: Of an epoch.
        batch: Of a step.

    Raises:
        UserError: There is not one whole batch, or no such architecture.
    """

    network: str
    images: int
    batch: int

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= self.images:
            raise UserError(
                f'An epoch needs at least one batch: got a batch of {self.batch}, '
                f'{self.images} images.'
            )
        self.architecture()

    @property
    def steps(self) -> int:
        """Of an epoch; the last batch may be smaller."""
        return -(-self.images // self.batch)

    def architecture(self) -> PrunedArchitecture:
        """The network's shape."""
        return PrunedArchitecture.load(self.network)

    def noise(self) -> tuple[Tensor, Tensor]:
        """Images uint8 ``(N, C, H, W)`` and labels ``(N,)``, always the same."""
        architecture, random = self.architecture(), torch.Generator().manual_seed(0)
        shape = (self.images, *architecture.input_shape)
        images = torch.randint(256, shape, dtype=torch.uint8, generator=random)
        return images, torch.randint(self.classes, (self.images,), generator=random)

    @property
    def classes(self) -> int:
        """Of the labels."""
        return self.architecture().head['num_classes']
