"""A detector's training images, for methods that prune by data."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from rethink_det.detection.datasets.check_data import check_data
from rethink_det.training.training_batches import TrainingBatches


class DetectionBatches(TrainingBatches):
    """The training set of a detector's config, looked at before anything is read.

    Args:
        config: Of the detector.

    Raises:
        UserError: When iterated, files are missing or do not fit, see
            :func:`.check_data.check_data`.
    """

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | Sequence]]:
        """Pairs of images ``(N, 3, H, W)`` and N data samples."""
        check_data(self.config, splits=('train',))
        return super().__iter__()
