"""What can be asked which objects are on pictures, whatever runs it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rethink_det.datasets.pixels import Picture
from rethink_det.detection.prediction.detections import Detections

THRESHOLD = 0.3
"""Score below which an object is left out."""


class PictureDetector(ABC):
    """A detector that is ready for pictures.

    Attributes:
        classes: Names of what it finds.
    """

    classes: Sequence[str]

    def predict(self, pictures: Picture | Iterable[Picture], threshold: float = THRESHOLD) -> Any:
        """What is on pictures.

        Args:
            pictures: One, or several.
            threshold: What is less sure is left out.

        Returns:
            :class:`Detections` of one picture, a list of them of several.

        Raises:
            UserError: A file is no picture that can be read.
        """
        if isinstance(pictures, Iterable) and not isinstance(pictures, Picture):
            return list(self.stream(pictures, threshold))
        return self._one(pictures, threshold)

    def stream(
        self, pictures: Iterable[Picture], threshold: float = THRESHOLD
    ) -> Iterator[Detections]:
        """As :meth:`predict`, one after the other."""
        for picture in pictures:
            yield self._one(picture, threshold)

    @abstractmethod
    def _one(self, picture: Picture, threshold: float) -> Detections:
        """What is on one."""


def numbered(labels: np.ndarray) -> Sequence[str]:
    """Names of classes that have none."""
    return tuple(map(str, range(int(labels.max(initial=-1)) + 1)))
