"""One threshold over the values of many layers."""

import torch
from torch import Tensor

from rethink_det.errors import UserError


def check_ratio(method: str, ratio: float) -> float:
    """``ratio``, if it is in [0, 1).

    Raises:
        UserError: It is not; names the method.
    """
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio < 1:
        raise UserError(f'{method}: ratio must be in [0, 1), got {ratio!r}.')
    return ratio


def largest(values: Tensor, ratio: float, strictly_above: bool = False) -> Tensor:
    """Which values stay when the smallest ``int(N * ratio)`` go: a bool tensor.

    Args:
        values: ``(N,)``.
        ratio: Share to remove, in [0, 1).
        strictly_above: Instead, keep what is strictly above entry number ``int(N * ratio)``
            of the sorted values: one more goes, and all equals of it. Nothing goes at 0.
    """
    count = int(len(values) * ratio)
    if not count:
        return torch.ones_like(values, dtype=torch.bool)
    if strictly_above:
        return values > values.sort().values[count]
    order = values.argsort(descending=True, stable=True)
    kept = torch.zeros_like(values, dtype=torch.bool)
    kept[order[: len(values) - count]] = True
    return kept
