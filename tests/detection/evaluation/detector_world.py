"""Two detectors on endlessly many images: what they differ by in truth is known."""

from dataclasses import dataclass

import numpy as np

from rethink_det.detection.evaluation.resampled_ap import ClassMatches, resampled_ap

CLASSES = 3
OBJECTS = 1.5  # of a class in an image, on average
IOUS = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True)
class Detections:
    """Of one class by one detector, in all images of a world; see ``ClassMatches``."""

    images: np.ndarray
    scores: np.ndarray
    overlaps: np.ndarray  # of each with the object it found, 0 for a false alarm


class World:
    """Images with objects, hard ones and easy ones, and what detectors find of them.

    An object, and a whole image, is as hard for one detector as for another, but for luck: that
    is why two detectors are told apart by the same images better than by other ones.
    """

    def __init__(self, images=20_000, seed=0):
        self._rng = np.random.default_rng(seed)
        self.images = images
        hard = self._rng.normal(0, 0.7, images)  # of an image
        self._objects = []
        for _ in range(CLASSES):
            place = np.repeat(np.arange(images), self._rng.poisson(OBJECTS, images))
            self._objects.append((place, hard[place] + self._rng.normal(0, 0.7, len(place))))

    def detector(self, skill):
        """What a detector finds, by class: with more skill more, by better boxes and scores."""
        return [self._found(*objects, skill) for objects in self._objects]

    def _found(self, place, hard, skill):
        rng = self._rng
        quality = skill - hard + rng.normal(0, 0.5, len(place))
        overlap = 1 / (1 + np.exp(-(quality + 1)))
        alarms = rng.integers(self.images, size=2 * len(place))
        scores = np.concatenate(
            (quality + rng.normal(0, 0.5, len(place)), rng.normal(-1, 1, len(alarms)))
        )
        overlaps = np.concatenate((overlap, np.zeros(len(alarms))))
        return Detections(np.concatenate((place, alarms)), scores, overlaps)

    def matches(self, detector, chosen):
        """``ClassMatches`` on the images chosen, which are numbered anew."""
        number = np.full(self.images, -1)
        number[chosen] = np.arange(len(chosen))
        return [
            _matches(found, objects[0], number, len(chosen))
            for found, objects in zip(detector, self._objects, strict=True)
        ]

    def ap(self, detector, chosen=None):
        """AP on the images chosen, by default on all there are: the truth."""
        chosen = np.arange(self.images) if chosen is None else chosen
        return resampled_ap(self.matches(detector, chosen), [np.ones((len(chosen), 1))])[0]


def _matches(found, objects, number, images):
    there = np.flatnonzero(number[found.images] >= 0)
    order = there[np.argsort(-found.scores[there], kind='stable')]
    hits = found.overlaps[order] >= IOUS[:, None]
    objects = np.bincount(number[objects][number[objects] >= 0], minlength=images)
    places = number[found.images[order]]
    return ClassMatches(places, hits, np.zeros_like(hits), objects.astype(float))
