"""One training step of several networks of one shape, computed as one network.

The layers of all members are computed by one operation each: convolutions become grouped ones,
linear layers batched matrix products, and BatchNorm normalises the channels of all of them. It is
:func:`torch.func.vmap` that turns one into the other, for whatever operations a network is made
of. A member's images are channels of their own, so nothing of one can reach another: neither a sum
over the batch nor a NaN. Random numbers within a network (dropout) are refused.

Measured on a CPU (ResNet-20, batch 64, five members): twice the time of one after the other, as
oneDNN's grouped convolutions are slow, so there it is for tests; on an H100 eight ResNet-56 take
an eighth of it. Which form is taken, is decided here and nowhere else.

Source: Model ensembling in the tutorials of PyTorch (``torch.func.stack_module_state``).
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from rethink_det.errors import UserError, in_one_line

_MODEL = 'model.'
"""What the names of a model's tensors begin with in :class:`Losses`."""


class Losses(nn.Module):
    """A model as a function of a batch: its loss.

    Args:
        model: Called with ``mode='loss'`` it gives ``dict(loss=...)``, as a classifier does.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._forward: Callable[..., Mapping[str, Tensor]] = model.forward

    def forward(self, inputs: Tensor, gt_label: Tensor) -> Tensor:
        """The loss of a batch: a number.

        Args:
            inputs: ``(N, C, H, W)``.
            gt_label: ``(N,)``.
        """
        return self._forward(inputs=inputs, gt_label=gt_label, mode='loss')['loss']

    def state(self) -> dict[str, Tensor]:
        """Its parameters and buffers by name, the tensors themselves."""
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}


@dataclass(frozen=True)
class Step:
    """What one member brings to a step.

    Attributes:
        losses: Its network, in training mode.
        inputs: ``(N, C, H, W)``, normalised.
        gt_label: ``(N,)`` class numbers.
    """

    losses: Losses
    inputs: Tensor
    gt_label: Tensor


@dataclass(frozen=True)
class Found:
    """What a step came to for one member.

    Attributes:
        loss: A number without a graph.
        gradients: Of the loss, by the names of the tensors in the network's state that train;
            None for one that the loss does not depend on.
    """

    loss: Tensor
    gradients: Mapping[str, Tensor | None]


def step_together(steps: Sequence[Step | None]) -> list[Found | None]:
    """Losses and gradients of all members, whose BatchNorm statistics are brought up to date.

    Args:
        steps: In the order of the members; in a place that nobody takes, None. Such a place is
            computed all the same, with the tensors of the first member that is there: what a
            member comes to, bit by bit, may depend on how many places there are, but must not on
            who else is there.

    Raises:
        ValueError: There is no member at all.
        UserError: A network draws random numbers, or does what cannot be batched.
    """
    first = next((step for step in steps if step is not None), None)
    if first is None:
        raise ValueError('a step of no member')
    filled = [first if step is None else step for step in steps]
    states = [step.losses.state() for step in filled]
    trained = [name for name, one in states[0].items() if one.requires_grad]
    stacked = {name: torch.stack([s[name].detach() for s in states]) for name in states[0]}
    for name in trained:
        stacked[name].requires_grad_()
    losses = _losses(first.losses, stacked, filled)
    gradients = torch.autograd.grad(
        losses.sum(), [stacked[name] for name in trained], allow_unused=True
    )
    members = [place for place, step in enumerate(steps) if step is not None]
    buffers = [name for name, _ in first.losses.named_buffers() if name not in trained]
    _write_back(states, stacked, members, buffers)
    each = losses.detach().unbind()
    by_member = {
        name: None if g is None else g.unbind() for name, g in zip(trained, gradients, strict=True)
    }
    return [
        None
        if step is None
        else Found(each[i], {name: None if g is None else g[i] for name, g in by_member.items()})
        for i, step in enumerate(steps)
    ]


def _losses(network: Losses, stacked: Mapping[str, Tensor], steps: Sequence[Step]) -> Tensor:
    """The losses ``(S,)`` of S members."""

    def loss(state: Mapping[str, Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
        return functional_call(network, dict(state), (inputs, labels))

    # Member by member within an image: as channels of one image they lie as they are computed.
    inputs = torch.stack([step.inputs.permute(0, 2, 3, 1) for step in steps], 3)
    labels = torch.stack([step.gt_label for step in steps])
    with warnings.catch_warnings():
        # Operations without a rule of their own are computed one by one: right, and few.
        warnings.filterwarnings('ignore', 'There is a performance drop')
        try:
            return vmap(loss, in_dims=(0, 1, 0))(stacked, inputs.permute(0, 3, 4, 1, 2), labels)
        except RuntimeError as error:
            if 'vmap' not in str(error):
                raise
            raise UserError(
                f'The network cannot be computed together with others: {in_one_line(error)} '
                '--together 1 trains it alone.'
            ) from error


@torch.no_grad()
def _write_back(
    states: Sequence[Mapping[str, Tensor]],
    stacked: Mapping[str, Tensor],
    members: Sequence[int],
    names: Sequence[str],
) -> None:
    """What the step changed in place, statistics of BatchNorm, goes to its owners."""
    rows = {name: stacked[name].unbind() for name in names}
    own = [states[i][name] for name in names for i in members]
    new = [rows[name][i] for name in names for i in members]
    if own:
        torch._foreach_copy_(own, new)
