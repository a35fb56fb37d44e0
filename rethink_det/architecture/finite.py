"""Weights that are not finite are weights of nothing: no command goes on with them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from rethink_det.errors import UserError

_TRAINED = ('weight', 'bias', 'running_mean', 'running_var')
"""How names end of what training changes; other tensors may be infinite, as attention masks are."""


def first_not_finite(state: Mapping[str, object]) -> str | None:
    """Name of the first tensor that only a training that diverged leaves; None if there is none.

    Args:
        state: Tensors by name; what is none, or not of dense floating point numbers, is passed by.
    """
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
            continue
        if not tensor.is_floating_point() or _is_finite(tensor):
            continue
        if name.endswith(_TRAINED) or tensor.isnan().any():
            return name
    return None


def _is_finite(tensor: Tensor) -> bool:
    """Whether all of it is; its extremes are NaN where any value is."""
    if not tensor.numel():
        return True
    if tensor.element_size() < 2:  # torch has no extremes of such
        return bool(tensor.float().isfinite().all())
    return all(bool(end.isfinite()) for end in tensor.aminmax())


def check_finite(state: Mapping[str, object], where: object) -> None:
    """Refuse weights of a training that diverged.

    Args:
        state: Tensors by name.
        where: Their file, for the message.

    Raises:
        UserError: Names the first tensor that is not finite.
    """
    name = first_not_finite(state)
    if name is not None:
        raise UserError(
            f'{where}: {name} is not finite, some of its values are NaN or infinite: the training '
            'that wrote it diverged. Take an earlier checkpoint; a lower learning rate, or '
            'gradient clipping, may help.'
        )
