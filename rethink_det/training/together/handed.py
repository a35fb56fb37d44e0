"""A loss whose gradients were computed elsewhere, and that goes backward as any other."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rethink_det.training.together.side_by_side import Found


def handed_loss(found: Found, state: Mapping[str, Tensor]) -> Tensor:
    """The loss of a member: ``backward`` gives its gradients to the member's own tensors.

    Whoever trains the member need not know where they come from: hooks on its tensors see them,
    losses that are scaled or accumulated scale and accumulate them.

    Args:
        found: What the step came to.
        state: The member's tensors, by the names of ``found.gradients``.
    """
    names = [name for name, gradient in found.gradients.items() if gradient is not None]
    gradients = [found.gradients[name] for name in names]
    return _Handed.apply(found.loss, gradients, *(state[name] for name in names))


class _Handed(torch.autograd.Function):
    """A number that depends on some tensors, by gradients that are known."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, gradients: Sequence[Tensor], *tensors: Tensor) -> Tensor:
        ctx.gradients = gradients
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Any, ...]:
        return (None, None, *torch._foreach_mul(ctx.gradients, outputs[0]))
