"""Mean intersection over union, the usual number of semantic segmentation.

Source: The PASCAL Visual Object Classes Challenge: A Retrospective (IJCV 2015), section 4.1.2; as
mmsegmentation's ``IoUMetric`` counts it, over all pixels of all images together.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from rethink_det.errors import UserError
from rethink_det.registry import METRICS
from rethink_det.report.image_draws import digest_of, image_draws
from rethink_det.report.image_replicates import ImageReplicates

NAME = 'mIoU'
"""Of the metric that comparisons are made by."""
IGNORED = 255
"""Number of the pixels that belong to no class, as a rule."""


Counted = tuple[np.ndarray, bytes | None]
"""Of an image: pixels by class, int64 (3, classes), that are found and true, found, and true; and
its digest, if it is known."""


@METRICS.register_module()
class MeanIoU(BaseMetric):
    """``mIoU``, and of accuracies ``mAcc`` and ``aAcc``, in percent and with all their digits.

    The numbers are those of mmsegmentation's ``IoUMetric``, which rounds them, adds pixels in
    single precision, and leaves out those whose class is not in the data set. A class that is
    neither found nor there in any image has no part in a mean.

    Args:
        ignore_index: Number of the pixels that do not count.

    Attributes:
        keep_images: Whether to tell the images of an evaluation apart, for
            :meth:`image_replicates`.
    """

    keep_images = False

    def __init__(self, ignore_index: int = IGNORED, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore_index = ignore_index
        self._evaluated: list[Counted] = []

    @property
    def classes(self) -> Sequence[str]:
        """Names of the data set's classes."""
        return (self.dataset_meta or {})['classes']

    def process(self, data_batch: Mapping, data_samples: Sequence[Mapping]) -> None:
        """Count the pixels of each image.

        Args:
            data_batch: ``inputs`` (N, ...), the images, where they are to be kept.
            data_samples: N with ``pred_sem_seg`` and ``gt_sem_seg``, maps of class numbers.

        Raises:
            UserError: A true map has a class number that is not one of the data set.
        """
        for number, sample in enumerate(data_samples):
            found, true = (_map(sample[key]) for key in ('pred_sem_seg', 'gt_sem_seg'))
            digest = _digest(data_batch, number, true) if self.keep_images else None
            place = str(sample.get('seg_map_path', 'a map'))
            self.results.append((self._count(found, true, place), digest))

    def _count(self, found: np.ndarray, true: np.ndarray, place: str) -> np.ndarray:
        counted, classes = true != self.ignore_index, len(self.classes)
        found, true = found[counted], true[counted]
        if true.size and not 0 <= true.min() <= true.max() < classes:
            strange = true[(true < 0) | (true >= classes)][0]
            raise UserError(
                f'{place} has pixels of the class {strange}, the data set has the classes 0 to '
                f'{classes - 1}, and {self.ignore_index} is ignored. Set metainfo.classes, '
                'reduce_zero_label or ignore_index.'
            )
        parts = (found[found == true], found, true)
        return np.stack([np.bincount(part, minlength=classes) for part in parts])

    def compute_metrics(self, results: list[Counted]) -> dict[str, float]:
        """The percentages.

        Args:
            results: Of every image.

        Raises:
            UserError: There was no pixel to count.
        """
        self._evaluated = list(results)
        areas = sum((areas for areas, _ in results), np.zeros((3, len(self.classes)), np.int64))
        both, found, true = areas
        if not true.sum():
            raise UserError('MeanIoU: no pixel of the test images has a class that counts.')
        by_class = 100 * _iou(both, found, true)
        known = {name: v for name, v in zip(self.classes, by_class, strict=True) if v == v}
        print_log(
            'IoU by class, in %: ' + ', '.join(f'{n} {v:.2f}' for n, v in known.items()), 'current'
        )
        return {
            'aAcc': float(100 * both.sum() / true.sum()),
            NAME: float(np.nanmean(by_class)),
            'mAcc': float(100 * np.nanmean(_share(both, true))),
        }

    def image_replicates(self) -> ImageReplicates:
        """The mIoU of the last evaluation on its images drawn anew.

        Images are told apart by their content: in which order they came does not matter.

        Raises:
            UserError: The evaluation was not told to keep its images, or they were not there.
        """
        known = [(digest, areas) for areas, digest in self._evaluated if digest is not None]
        if not known or len(known) < len(self._evaluated):
            raise UserError("the metric has not kept its images: the batches' inputs are not they")
        known.sort(key=lambda one: one[0])
        digest = digest_of(one for one, _ in known)
        areas = np.stack([areas for _, areas in known], 1).astype(float)
        drawn = [
            100 * np.nanmean(_iou(*(counts.T @ part for part in areas)), axis=1)
            for counts in image_draws(digest, len(known))
        ]
        return ImageReplicates.of(len(known), digest, {NAME: np.concatenate(drawn)})


def _map(part: Any) -> np.ndarray:
    """Class numbers of a sample's pixels, (H, W)."""
    data = part['data'] if isinstance(part, Mapping) else part.data
    return np.asarray(data.squeeze(0).cpu(), dtype=np.int64)


def _iou(both: np.ndarray, found: np.ndarray, true: np.ndarray) -> np.ndarray:
    return _share(both, found + true - both)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Of each class; NaN of one that there is nothing of."""
    nothing = np.full(np.shape(whole), np.nan)
    return np.divide(part, whole, out=nothing, where=whole > 0)


def _digest(batch: Mapping, number: int, true: np.ndarray) -> bytes | None:
    """Of an image's pixels and its true map; None where the batch has no such image."""
    images = batch.get('inputs')
    if images is None or len(images) <= number:
        return None
    pixels = images[number]
    pixels = pixels.cpu().numpy() if isinstance(pixels, Tensor) else np.asarray(pixels)
    found = sha256(np.ascontiguousarray(pixels).data)
    found.update(np.ascontiguousarray(true, '<i8').data)
    return found.digest()[:16]
