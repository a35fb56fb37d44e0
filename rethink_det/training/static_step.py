"""A training step on tensors that stay where they are, so that it can be recorded and repeated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from mmengine.runner import Runner
from torch import Tensor

from rethink_det.training.hooks.within_step import WithinStepHook
from rethink_det.training.model import model_of
from rethink_det.training.rates import Rates

Batch = Mapping[str, Tensor]
Outputs = dict[str, Tensor]
Step = Callable[[], Outputs]

WARM_UP = 3
"""Steps of a kind of batch before it is recorded: libraries choose their kernels in them."""


class NotRecordedError(Exception):
    """Why a step cannot be recorded; nothing of it was done."""


class Recording(Protocol):
    """A step that was recorded."""

    outputs: Outputs

    def replay(self) -> None:
        """Do the step once more, on what its tensors hold now."""


class Recorder(Protocol):
    """Records steps of one kind of device."""

    def rehearse(self, step: Step) -> Outputs:
        """Do a step, as it is before it is recorded."""

    def record(self, step: Step) -> Recording:
        """Record a step without doing it.

        Raises:
            NotRecordedError: The device cannot.
        """


@dataclass
class _Kind:
    """Batches of one shape: where they are put, and what was recorded of them."""

    batch: dict[str, Tensor]
    steps: int = 0
    recording: Recording | None = None
    places: tuple[int, ...] = ()


class StaticStep:
    """MMEngine's ``train_step``, and what hooks do within it, recorded and then repeated.

    A batch is copied to where the recorded step reads it; what the step returns is copied out.
    Batches of each shape, such as the last of an epoch, have a recording of their own, made after
    :data:`WARM_UP` steps of that shape, which are ordinary steps of the training.

    Args:
        runner: With model and optimizer, ready to train.
        recorder: Of the model's device.

    Attributes:
        within: Hooks that act in the step, after the optimizer.
    """

    def __init__(self, runner: Runner, recorder: Recorder) -> None:
        self._runner, self._recorder = runner, recorder
        device = next(model_of(runner).parameters()).device
        self._rates = Rates(runner.optim_wrapper, device)
        self._kinds: dict[tuple, _Kind] = {}
        self.within: list[WithinStepHook] = []

    def forget(self) -> None:
        """Record anew, after the next warm-up."""
        self._kinds = {}

    def forget_if_moved(self) -> None:
        """Record anew where the model's or the optimizer's tensors are no longer those recorded."""
        places = self._places()
        self._kinds = {
            name: kind
            for name, kind in self._kinds.items()
            if kind.recording is None or kind.places == places
        }

    def __call__(self, batch: Batch) -> Outputs:
        """One step.

        Raises:
            NotRecordedError: The step cannot be recorded. It was not done; it can be done as ever.
        """
        kind = self._kind_of(batch)
        for name, value in batch.items():
            kind.batch[name].copy_(value)
        self._rates.update()
        if kind.recording is None and kind.steps >= WARM_UP:
            kind.recording, kind.places = self._recorded(kind), self._places()
        if kind.recording is None:
            outputs = self._recorder.rehearse(lambda: self._step(kind))
        else:
            kind.recording.replay()
            outputs = kind.recording.outputs
        kind.steps += 1
        return {name: value.detach().clone() for name, value in outputs.items()}

    def _kind_of(self, batch: Batch) -> _Kind:
        name = tuple((n, t.shape, t.stride(), t.dtype) for n, t in sorted(batch.items()))
        if name not in self._kinds:
            self._kinds[name] = _Kind({n: torch.empty_like(t) for n, t in batch.items()})
        return self._kinds[name]

    def _recorded(self, kind: _Kind) -> Recording:
        try:
            return self._recorder.record(lambda: self._step(kind))
        except NotRecordedError:
            model = model_of(self._runner)
            for tensor in (*model.parameters(), *model.buffers()):
                tensor.grad = None  # what was to become of it was never computed
            raise

    def _step(self, kind: _Kind) -> Outputs:
        runner, cached = self._runner, torch.is_autocast_cache_enabled()
        # Cast weights that outlive the recording would be those of its first step.
        torch.set_autocast_cache_enabled(False)
        try:
            with self._rates.in_force():
                outputs = runner.model.train_step(kind.batch, optim_wrapper=runner.optim_wrapper)
                for hook in self.within:
                    hook.after_step(runner)
        finally:
            torch.set_autocast_cache_enabled(cached)
        return dict(outputs)

    def _places(self) -> tuple[int, ...]:
        """Where all tensors are that a step reads and writes."""
        model, optimizer = model_of(self._runner), self._runner.optim_wrapper.optimizer
        states = [t for state in optimizer.state.values() for t in state.values()]
        tensors = [*model.parameters(), *model.buffers(), *states]
        return tuple(t.data_ptr() for t in tensors if isinstance(t, Tensor))
