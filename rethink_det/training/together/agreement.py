"""The first step of a member is computed alone as well: two things that must agree are compared.

Whatever a network is made of, hooks on its layers included, it is trained together with others
only if it does there what it does alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rethink_det.errors import UserError
from rethink_det.training.together.side_by_side import Step


@dataclass(frozen=True)
class Tolerance:
    """How far two computations of the same may be apart.

    Attributes:
        share: Of the norm of a tensor.
        floor: The norm of a tensor counts as this share of that of all of them at least: a
            gradient of rounding errors alone, that of a bias before a BatchNorm, say, need not
            agree.
    """

    share: float
    floor: float = 1e-3


TOLERANCES = {torch.float64: Tolerance(1e-9), torch.float32: Tolerance(1e-2)}
"""In float32 a GPU may round to 10 bits on the way."""
LOW_PRECISION = Tolerance(0.5, 0.3)
"""Under autocast, where sums are rounded to 8 bits."""
EXACT = Tolerance(0.0)
"""Of what is counted."""


@dataclass(frozen=True)
class Outcome:
    """What a step comes to, as its member sees it.

    Attributes:
        loss: A number.
        gradients: Of what trains, by name, as hooks on these tensors leave them; None for what the
            loss does not depend on.
        buffers: After the step.
    """

    loss: Tensor
    gradients: Mapping[str, Tensor | None]
    buffers: Mapping[str, Tensor]

    @classmethod
    def of(cls, loss: Tensor, step: Step) -> 'Outcome':
        """That of a loss which can go backward, whose graph is left.

        Args:
            loss: Of the step.
            step: Of a member.
        """
        trained = {n: tensor for n, tensor in step.losses.state().items() if tensor.requires_grad}
        gradients = torch.autograd.grad(
            loss, list(trained.values()), retain_graph=True, allow_unused=True
        )
        buffers = {n: b.clone() for n, b in step.losses.named_buffers() if n not in trained}
        return cls(loss.detach(), dict(zip(trained, gradients, strict=True)), buffers)

    @classmethod
    def alone(cls, step: Step) -> 'Outcome':
        """What the network itself comes to; it is left as it was."""
        before = {n: b.clone() for n, b in step.losses.named_buffers() if not b.requires_grad}
        outcome = cls.of(step.losses(step.inputs, step.gt_label), step)
        buffers = dict(step.losses.named_buffers())
        for name, values in before.items():
            buffers[name].copy_(values)
        return outcome


def check_agreement(found: Outcome, expected: Outcome) -> None:
    """Refuse a step that came out differently from the network alone.

    A step that is not finite is not compared: it is about to end the run.

    Args:
        found: What came out together with others.
        expected: What comes out alone.

    Raises:
        UserError: Names a tensor that differs.
    """
    if not bool(torch.isfinite(expected.loss)):
        return
    _compare({'the loss': found.loss}, {'the loss': expected.loss})
    _compare(_named(found.gradients), _named(expected.gradients))
    for name, buffer in expected.buffers.items():
        _compare({name: found.buffers[name]}, {name: buffer})


def _named(gradients: Mapping[str, Tensor | None]) -> dict[str, Tensor | None]:
    return {f'the gradient of {name}': gradient for name, gradient in gradients.items()}


def _compare(found: Mapping[str, Tensor | None], expected: Mapping[str, Tensor | None]) -> None:
    """Refuse what differs, of tensors whose norms are to be seen beside each other."""
    both = {}
    for name, own in expected.items():
        mine = found[name]
        if (mine is None) != (own is None):
            raise UserError(_refusal(name, 'is there in one of them alone'))
        if mine is not None and own is not None:
            both[name] = mine.double(), own.double(), _tolerance(own)
    whole = sum(float(own.norm()) ** 2 for _, own, _ in both.values()) ** 0.5
    for name, (mine, own, tolerance) in both.items():
        norm = max(float(own.norm()), tolerance.floor * whole)
        apart = float((mine - own).norm())
        if not apart <= tolerance.share * norm:
            raise UserError(_refusal(name, f'is {apart / norm if norm else apart:.2g} of it off'))


def _tolerance(tensor: Tensor) -> Tolerance:
    low = torch.is_autocast_enabled(tensor.device.type) and tensor.is_floating_point()
    return LOW_PRECISION if low else TOLERANCES.get(tensor.dtype, EXACT)


def _refusal(name: str, what: str) -> str:
    return (
        'A step computed together with other runs came out differently from the network alone: '
        f'{name.replace("model.", "", 1)} {what}. Something in it, or a hook on its layers, does '
        'not follow the weights it is given: --together 1 trains it alone.'
    )
