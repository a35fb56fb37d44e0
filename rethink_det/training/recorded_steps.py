"""Whether the steps of a training are recorded, and what is done where they are not."""

from typing import Literal

import torch
from mmengine.runner import Runner

from rethink_det.errors import UserError
from rethink_det.training.cuda_graph import CudaRecorder
from rethink_det.training.hooks.within_step import WithinStepHook
from rethink_det.training.model import model_of
from rethink_det.training.recordable import obstacle, to_be_forgotten
from rethink_det.training.static_step import (
    Batch,
    NotRecordedError,
    Outputs,
    Recorder,
    Recording,
    StaticStep,
    Step,
)
from rethink_det.training.step_hooks import StepHooks

UNCAPTURED = 'uncaptured'
Graph = bool | Literal['uncaptured'] | None
"""What can be asked for: see :class:`RecordedSteps`."""


class RecordedSteps:
    """The steps of a training: recorded where they can be, else as MMEngine's loop does them.

    Args:
        runner: Of the training.
        graph: True or None for a CUDA graph where the model is on a CUDA device; False for none;
            ``'uncaptured'`` for the same steps that are then done and not repeated. With None
            nothing is logged on other devices.
        compiled: Whether the training's steps are compiled code.

    Attributes:
        left_out: Why steps are not recorded although they were to be; None if they are, or were
            not to be.

    Raises:
        UserError: ``graph`` is something else, or asked for together with compiled code.
    """

    def __init__(self, runner: Runner, graph: Graph, compiled: bool) -> None:
        if not (graph is None or isinstance(graph, bool) or graph == UNCAPTURED):
            raise UserError(
                f'train_cfg.graph must be True, False, None or {UNCAPTURED!r}, got {graph!r}.'
            )
        if compiled and graph:
            raise UserError(
                f'train_cfg.graph={graph!r} and train_cfg.compile exclude each other: leave one '
                'of them out.'
            )
        self._runner, self._graph = runner, False if compiled else graph
        self.left_out: str | None = None
        self._static: StaticStep | None = None
        self._within: list[WithinStepHook] = []
        self._begun = False

    def start_epoch(self) -> StepHooks:
        """Look at what may have changed since the last epoch; the hooks of this epoch's steps."""
        if not self._begun:
            self._begun = True
            self._begin()
        if self._static is not None:
            if to_be_forgotten(self._runner):
                self._static.forget()
            self._static.forget_if_moved()
        hooks = StepHooks.of(self._runner, self._static is not None)
        self._within = hooks.within
        if self._static is not None:
            self._static.within = hooks.within
        return hooks

    def __call__(self, batch: Batch) -> Outputs:
        """One step, without what hooks do before and after it."""
        runner = self._runner
        if self._static is not None:
            try:
                return self._static(batch)
            except NotRecordedError as reason:
                self._leave_out(str(reason))
        outputs = runner.model.train_step(batch, optim_wrapper=runner.optim_wrapper)
        for hook in self._within:  # of an epoch that began with recorded steps
            hook.after_step(runner)
        return outputs

    def end(self) -> None:
        """Give back the memory of what was recorded; the next epoch would record anew."""
        self._static, self._within, self._begun = None, [], False

    def _begin(self) -> None:
        if self._graph is False:
            return
        device = next(model_of(self._runner).parameters()).device
        if device.type != 'cuda' and self._graph != UNCAPTURED:
            if self._graph:
                self._leave_out(f'this run trains on the {device.type}')
            return
        reason = obstacle(self._runner)
        if reason:
            self._leave_out(reason)
            return
        self._static = StaticStep(self._runner, self._recorder(device))

    def _recorder(self, device: torch.device) -> Recorder:
        return Uncaptured() if self._graph == UNCAPTURED else CudaRecorder(device)

    def _leave_out(self, reason: str) -> None:
        self._static, self.left_out = None, reason
        say = self._runner.logger.warning if self._graph else self._runner.logger.info
        say(f'graph: left out, {reason}. Steps are done one operation at a time.')


class Uncaptured:
    """Does a recorded step anew instead of repeating it."""

    def rehearse(self, step: Step) -> Outputs:
        """Do a step."""
        return step()

    def record(self, step: Step) -> Recording:
        """Keep a step, to do it."""
        return _Kept(step)


class _Kept:
    def __init__(self, step: Step) -> None:
        self._step = step
        self.outputs: Outputs = {}

    def replay(self) -> None:
        self.outputs = self._step()
