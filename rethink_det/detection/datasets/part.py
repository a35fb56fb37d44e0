"""A data set that a config names, and what is asked of every kind of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Part(ABC):
    """A data set inside all wrappers of a dataloader.

    Attributes:
        key: Its place in the config, ``'train_dataloader.dataset'``.
        settings: Its config.
        classes: Names of the classes, of its config or of its kind.
    """

    key: str
    settings: Mapping
    classes: tuple[str, ...]

    @property
    def root(self) -> Path:
        """Where its paths start from."""
        return Path(self.settings.get('data_root') or '')

    @property
    def is_trained_on(self) -> bool:
        """Whether images and objects are filtered, as they are in training."""
        return not self.settings.get('test_mode')

    @property
    def filters(self) -> Mapping:
        """What it leaves out by its config: ``filter_empty_gt``, ``min_size``."""
        return (self.settings.get('filter_cfg') or {}) if self.is_trained_on else {}

    @abstractmethod
    def check(self, heads: Mapping[str, int]) -> Iterator[str]:
        """What is to be known of it before it is used, a line each.

        Args:
            heads: Config key to number of classes of every head that tells classes apart.

        Raises:
            UserError: It cannot be used, or not as it is meant.
        """

    @abstractmethod
    def pictures(self) -> list[Path]:
        """The files of its images."""

    @abstractmethod
    def objects(self) -> tuple[list[str], np.ndarray]:
        """Class of every object, and the side of a square as large as its box, pixels (N,)."""
