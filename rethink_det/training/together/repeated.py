"""Steps of a group that are recorded as CUDA graphs and repeated, on devices that can."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
from mmengine.logging import print_log
from torch import Tensor

from rethink_det.training.cuda_graph import CudaRecorder
from rethink_det.training.static_step import (
    WARM_UP,
    NotRecordedError,
    Outputs,
    Recorder,
    Recording,
)
from rethink_det.training.together.side_by_side import Found, Step, step_together

Steps: TypeAlias = Sequence[Step | None]


def recorder_of(device: torch.device) -> Recorder | None:
    """What records steps on a device; None where they are done one operation at a time."""
    return CudaRecorder(device) if device.type == 'cuda' else None


@dataclass
class _Kind:
    """Steps of the same members with batches of one shape.

    Attributes:
        steps: With the tensors that batches are copied to.
        done: How many were done.
        unused: Names of what trains and no loss depends on.
        recording: What was recorded, with the places of all tensors that it reads and writes.
    """

    steps: list[Step | None]
    done: int = 0
    unused: set[str] = field(default_factory=set)
    recording: Recording | None = None
    places: tuple[int, ...] = ()

    def take(self, steps: Steps) -> None:
        """Copy batches to where they are read."""
        for mine, given in zip(self.steps, steps, strict=True):
            if mine is not None and given is not None:
                mine.inputs.copy_(given.inputs)
                mine.gt_label.copy_(given.gt_label)

    def do(self) -> Outputs:
        """One step: losses and gradients under the numbers of their members."""
        cached = torch.is_autocast_cache_enabled()
        # Cast weights that outlive a recording would be those of its first step.
        torch.set_autocast_cache_enabled(False)
        try:
            found = step_together(self.steps)
        finally:
            torch.set_autocast_cache_enabled(cached)
        outputs: Outputs = {}
        for number, own in enumerate(found):
            if own is not None:
                outputs[f'{number}'] = own.loss
                known = {n: g for n, g in own.gradients.items() if g is not None}
                self.unused = own.gradients.keys() - known.keys()
                outputs |= {f'{number} {name}': gradient for name, gradient in known.items()}
        return outputs

    def found(self, outputs: Outputs) -> list[Found | None]:
        """What a step came to, by what it put out."""
        return [
            None if step is None else Found(outputs[f'{i}'], self._gradients(i, step, outputs))
            for i, step in enumerate(self.steps)
        ]

    def _gradients(self, number: int, step: Step, outputs: Outputs) -> dict[str, Tensor | None]:
        trained = [name for name, one in step.losses.state().items() if one.requires_grad]
        return {n: None if n in self.unused else outputs[f'{number} {n}'] for n in trained}

    def now(self) -> tuple[int, ...]:
        """Where all tensors of the members are."""
        members = (step for step in self.steps if step is not None)
        return tuple(one.data_ptr() for step in members for one in step.losses.state().values())


class RepeatedSteps:
    """:func:`step_together`, recorded after a few steps of a kind, and then repeated.

    What it gives lies where the next step of the same members writes: it is to be used before.

    Args:
        recorder: Gives what records on a device, or None.
    """

    def __init__(self, recorder: Callable[[torch.device], Recorder | None] = recorder_of) -> None:
        self._recorder_of = recorder
        self._recorder: Recorder | None = None
        self._asked = False
        self._kinds: dict[tuple, _Kind] = {}

    def __call__(self, steps: Steps) -> list[Found | None]:
        """One step of the members; errors as of :func:`step_together`."""
        first = next((step for step in steps if step is not None), None)
        if not self._asked and first is not None:
            self._recorder, self._asked = self._recorder_of(first.inputs.device), True
        if self._recorder is None:
            return step_together(steps)
        kind = self._kind_of(steps)
        kind.take(steps)
        try:
            outputs = self._done(kind, self._recorder)
        except NotRecordedError as reason:
            self._recorder, self._kinds = None, {}
            print_log(f'graph: left out of steps together, {reason}.', 'current')
            return step_together(steps)
        return kind.found(outputs)

    def _done(self, kind: _Kind, recorder: Recorder) -> Outputs:
        if kind.recording is not None and kind.places != kind.now():
            kind.recording, kind.done = None, 0
        if kind.recording is None and kind.done >= WARM_UP:
            kind.recording, kind.places = recorder.record(kind.do), kind.now()
        kind.done += 1
        if kind.recording is None:
            return recorder.rehearse(kind.do)
        kind.recording.replay()
        return kind.recording.outputs

    def _kind_of(self, steps: Steps) -> _Kind:
        members = tuple(None if step is None else id(step.losses) for step in steps)
        shapes = tuple(None if step is None else _shape(step) for step in steps)
        there = {member for member in members if member is not None}
        # Of a group that somebody has left, or joined, nothing is kept.
        self._kinds = {
            key: kind
            for key, kind in self._kinds.items()
            if key[0] == members or not there & set(key[0])
        }
        if (members, shapes) not in self._kinds:
            own = [None if step is None else _with_own_batch(step) for step in steps]
            self._kinds[members, shapes] = _Kind(own)
        return self._kinds[members, shapes]


def _shape(step: Step) -> tuple:
    trained = tuple(one.requires_grad for one in step.losses.state().values())
    return step.inputs.shape, step.inputs.stride(), step.inputs.dtype, trained


def _with_own_batch(step: Step) -> Step:
    return replace(
        step, inputs=torch.empty_like(step.inputs), gt_label=torch.empty_like(step.gt_label)
    )
