"""Top-k accuracy."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from torch import Tensor

from rethink_det.bounds import check_count
from rethink_det.errors import UserError
from rethink_det.registry import METRICS
from rethink_det.report.image_draws import digest_of, image_draws
from rethink_det.report.image_replicates import ImageReplicates

DIGEST_BYTES = 16


@METRICS.register_module()
class Accuracy(BaseMetric):
    """Share of images, in percent, whose class is among the k highest scores.

    Reported as ``accuracy/top1`` and so on. A k that is not below the number of classes says
    nothing and is left out.

    Args:
        topk: The values of k.

    Attributes:
        keep_images: Whether to tell the images of an evaluation apart, for
            :meth:`image_replicates`.

    Raises:
        UserError: There is none, or one is below 1.
    """

    default_prefix = 'accuracy'
    """What stands before the names of its numbers."""
    keep_images = False

    def __init__(self, topk: Sequence[int] = (1, 5), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(topk, (list, tuple)) or not topk:
            raise UserError(f'Accuracy: topk must be a list such as (1, 5), got {topk!r}.')
        self.topk = tuple(check_count('Accuracy: topk', k) for k in topk)
        self._evaluated: list[tuple[int, bytes | None]] = []

    def process(self, data_batch: Mapping, data_samples: Sequence[dict]) -> None:
        """Rank the true class of every image: 0 if it has the highest score.

        Equal scores count against the network: a constant output is not a correct one.

        Args:
            data_batch: ``inputs`` (N, ...), the images, where they are to be kept.
            data_samples: ``scores`` (n, classes) and ``gt_label`` (n) of all of them, in parts.

        Raises:
            UserError: A score is not a number.
        """
        ranks: list[int] = []
        labels: list[int] = []
        for batch in data_samples:
            scores, label = batch['scores'], batch['gt_label'][:, None]
            if scores.isnan().any():
                raise UserError(
                    'Accuracy: the network puts out scores that are not numbers (NaN). Its '
                    'weights, or its images, are not what they should be.'
                )
            others = scores.scatter(1, label, float('-inf'))
            rank = (others >= scores.gather(1, label)).sum(1)
            self.classes = scores.shape[1]
            ranks += rank.cpu().tolist()
            labels += label[:, 0].cpu().tolist()
        digests = _digests(data_batch, labels) if self.keep_images else [None] * len(labels)
        self.results += zip(ranks, digests, strict=True)

    def compute_metrics(self, results: list[tuple[int, bytes | None]]) -> dict[str, float]:
        """Percentages by k.

        Args:
            results: Of every image the rank of its class, and its digest if that is known.

        Raises:
            UserError: There was no image to rank.
        """
        self._evaluated = list(results)
        if not results:
            raise UserError('Accuracy: the data has no images, there is nothing to measure.')
        ks = [k for k in self.topk if k < self.classes] or [1]
        ranks = [rank for rank, _ in results]
        return {f'top{k}': 100.0 * sum(rank < k for rank in ranks) / len(ranks) for k in ks}

    def image_replicates(self) -> ImageReplicates:
        """The top-1 accuracy of the last evaluation on its images drawn anew.

        Images are told apart by their content: in which order they came does not matter.

        Raises:
            UserError: The evaluation was not told to keep its images, or they were not there.
        """
        pairs = sorted((digest, rank) for rank, digest in self._evaluated if digest is not None)
        if not pairs or len(pairs) < len(self._evaluated):
            raise UserError("the metric has not kept its images: the batches' inputs are not they")
        digest, images = digest_of(one for one, _ in pairs), len(pairs)
        correct = np.array([rank == 0 for _, rank in pairs], float)
        shares = [100 / images * (correct @ counts) for counts in image_draws(digest, images)]
        return ImageReplicates.of(images, digest, {f'{self.prefix}/top1': np.concatenate(shares)})


def _digests(batch: Mapping, labels: Sequence[int]) -> list[bytes | None]:
    """By image, of its pixels and its label; None where the batch has no such images."""
    images = batch.get('inputs')
    if images is None or len(images) != len(labels):
        return [None] * len(labels)
    arrays = images.cpu().numpy() if isinstance(images, Tensor) else [one.cpu() for one in images]
    return [_digest(np.asarray(one), label) for one, label in zip(arrays, labels, strict=True)]


def _digest(pixels: np.ndarray, label: int) -> bytes:
    found = sha256(np.ascontiguousarray(pixels).data)
    found.update(label.to_bytes(8, 'little'))
    return found.digest()[:DIGEST_BYTES]
