"""Top-k accuracy."""

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from rethink_det.bounds import check_count
from rethink_det.errors import UserError
from rethink_det.registry import METRICS


@METRICS.register_module()
class Accuracy(BaseMetric):
    """Share of images, in percent, whose class is among the k highest scores.

    Reported as ``accuracy/top1`` and so on. A k that is not below the number of classes says
    nothing and is left out.

    Args:
        topk: The values of k.

    Raises:
        UserError: There is none, or one is below 1.
    """

    default_prefix = 'accuracy'

    def __init__(self, topk: Sequence[int] = (1, 5), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(topk, (list, tuple)) or not topk:
            raise UserError(f'Accuracy: topk must be a list such as (1, 5), got {topk!r}.')
        self.topk = tuple(check_count('Accuracy: topk', k) for k in topk)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Rank the true class of every image: 0 if it has the highest score.

        Equal scores count against the network: a constant output is not a correct one.
        """
        for batch in data_samples:
            scores, label = batch['scores'], batch['gt_label'][:, None]
            others = scores.scatter(1, label, float('-inf'))
            # "Not below" rather than "above or equal": a score of NaN is never correct.
            rank = (~(others < scores.gather(1, label))).sum(1)
            self.classes = scores.shape[1]
            self.results += rank.cpu().tolist()

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        """Percentages by k.

        Raises:
            UserError: There was no image to rank.
        """
        if not results:
            raise UserError('Accuracy: the data has no images, there is nothing to measure.')
        ks = [k for k in self.topk if k < self.classes] or [1]
        return {f'top{k}': 100.0 * sum(rank < k for rank in results) / len(results) for k in ks}
