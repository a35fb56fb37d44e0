"""A training whose losses are computed together with those of other runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import Runner
from torch import Tensor

from rethink_det.errors import UserError
from rethink_det.training.model import model_of
from rethink_det.training.together.agreement import Outcome, check_agreement
from rethink_det.training.together.handed import handed_loss
from rethink_det.training.together.meeting import Arrival, Meeting, attended_here
from rethink_det.training.together.place import Place
from rethink_det.training.together.side_by_side import Losses, Step


@contextmanager
def joined(runner: Runner) -> Iterator[None]:
    """Within this context the model of a runner computes its loss with the members of its group.

    It is a group of one if nobody has made a bigger one (:func:`~.meeting.attended_here`). All
    else is left to the runner: batches, optimizer, hooks, evaluation, checkpoints.

    Args:
        runner: Before its first step.

    Raises:
        UserError: The place noted in its work dir is damaged; or the network does not do together
            what it does alone in any of its first steps.
    """
    meeting = attended_here()
    if meeting is None:
        with Meeting(1).attended(0), joined(runner):
            yield
        return
    model = model_of(runner)
    member = _Member(Losses(model), *meeting, _place(runner, *meeting))
    own = model.forward

    def forward(*args: Any, mode: str = 'tensor', **kwargs: Any) -> Any:
        if mode != 'loss':
            return own(*args, mode=mode, **kwargs)
        return {'loss': member.loss(*args, **kwargs)}

    model.forward = forward
    try:
        yield
        member.check()
    finally:
        del model.forward  # the class's own again


def _place(runner: Runner, meeting: Meeting, number: int) -> Place:
    folder = Path(runner.work_dir)
    place = Place.read(folder)
    if runner.iter and place is None:
        runner.logger.warning(
            'It is not known together with how many this run was begun: it may come out otherwise '
            'than unbroken, as runs do that are begun together with more or fewer.'
        )
    if place is None:
        place = Place(number, meeting.size)
        place.write(folder)
    return place


TRIES = 5
"""First steps of which one must be what it is alone.

An activation that is 0 but for rounding may be positive alone and not together: a step in ten or
fewer has a gradient that jumps there. What does not follow its weights is wrong in every step.
"""


class _Member:
    """A run of a group."""

    def __init__(self, losses: Losses, meeting: Meeting, number: int, place: Place) -> None:
        self._losses, self._meeting, self._number = losses, meeting, number
        self._place, self._tries = place, TRIES
        self._apart: UserError | None = None

    def loss(self, inputs: Tensor, gt_label: Tensor) -> Tensor:
        """The loss of a batch."""
        step, state = Step(self._losses, inputs, gt_label), self._losses.state()
        expected = Outcome.alone(step) if self._tries else None
        arrival = Arrival(self._place, _kind(step, state), step)
        loss = handed_loss(self._meeting.step(self._number, arrival), state)
        if expected is not None:
            self._compare(Outcome.of(loss, step), expected)
        return loss

    def _compare(self, found: Outcome, expected: Outcome) -> None:
        """Refuse the run if none of its first steps is what it is alone."""
        self._tries -= 1
        try:
            check_agreement(found, expected)
        except UserError as error:
            self._apart = error
            if not self._tries:
                raise
        else:
            self._tries, self._apart = 0, None

    def check(self) -> None:
        """Refuse a run that had so few steps that none of them agreed."""
        if self._apart is not None:
            raise self._apart


def _kind(step: Step, state: Mapping[str, Tensor]) -> tuple:
    """What members must share to be computed by one step."""
    inputs, device = step.inputs, step.inputs.device.type
    network = tuple((n, t.shape, t.dtype, t.requires_grad) for n, t in state.items())
    cast = torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device)
    return inputs.shape, inputs.dtype, inputs.device, cast, network
