"""The value: what a classifier takes a picture for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

TOP = 5
"""Classes that are shown."""


class Guess(NamedTuple):
    """One class, and how sure the classifier is of it."""

    label: int
    name: str
    score: float


@dataclass(frozen=True, eq=False)
class Classified:
    """How sure a classifier is of each class of a picture.

    Attributes:
        scores: ``(classes,)`` float32, probabilities: they sum up to 1.
        classes: Their names.
        image: Where the picture is from; empty of one that was given as an array.
    """

    scores: np.ndarray
    classes: Sequence[str]
    image: str = ''

    def top(self, number: int = TOP) -> list[Guess]:
        """The classes of the highest scores, the surest first.

        Args:
            number: How many; of fewer classes all.
        """
        best = np.argsort(-self.scores, kind='stable')[:number].tolist()
        return [Guess(label, self.classes[label], float(self.scores[label])) for label in best]

    @property
    def name(self) -> str:
        """The class that it is taken for."""
        return self.top(1)[0].name

    def rows(self, image: str, number: int = TOP) -> list[dict[str, Any]]:
        """As a JSON file has them.

        Args:
            image: What the picture is called.
            number: As of :meth:`top`.
        """
        return [
            {'image': image, 'label': label, 'class': name, 'score': round(score, 6)}
            for label, name, score in self.top(number)
        ]
