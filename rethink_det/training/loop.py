"""A training loop for small images: as MMEngine's by epoch, without what it costs a step."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from rethink_det.errors import UserError
from rethink_det.registry import LOOPS
from rethink_det.training.allocator import keep_freed_memory
from rethink_det.training.compiled import compiled
from rethink_det.training.lazy_history import make_cheap
from rethink_det.training.memory_format import lay_channels_last
from rethink_det.training.model import model_of
from rethink_det.training.recorded_steps import Graph, RecordedSteps
from rethink_det.training.resident import ResidentBatches
from rethink_det.training.together import joined


@LOOPS.register_module()
class FastEpochLoop(EpochBasedTrainLoop):
    """Train by epochs on a data set that is one tensor.

    Everything that MMEngine's loop promises holds: epochs, validation, hooks, checkpoints,
    resuming. On one device the weights become the same, bit by bit, because the same random
    numbers are drawn in the same order. What differs:

    * Batches are indexed on the training device (see :class:`ResidentBatches`). The loader's
      workers are never started, whatever ``num_workers`` says.
    * Only hooks that define what to do before or after a step are called then, and those in
      every step. They find everything as in MMEngine's loop, the message hub included.
    * Losses reach the message hub without waiting for a GPU (see ``LazyHistory``).
    * On a GPU a step is recorded as a CUDA graph and repeated (see ``RecordedSteps``).
    * On a CPU, memory that a step frees is kept for the next (see :func:`keep_freed_memory`).

    Args:
        runner: The runner.
        dataloader: Of an ``ImageTensorDataset``, or its config.
        max_epochs: Number of passes over the data.
        channels_last: Let the weights lie in this memory format, too. Default: on GPUs, where
            convolutions would otherwise rearrange them in each step. (On CPUs it makes no
            difference: there the batches' own format decides, see ``ImagePreprocessor``.)
        graph: Whether steps are recorded and repeated. Default: on CUDA devices, where nothing
            stands against it; what does is logged. ``'uncaptured'`` does all of it but the
            capture, on any device: whatever is different then does not come from the capture.
        compile: Options of :func:`torch.compile` for the training step on a CUDA device, or
            True for none, in the place of a graph. Off by default: on a CPU it was measured
            slower (ResNet-56, batch 128: by a half, and 95 s to compile), on one H100 compiling
            had not ended after 80 s.
        together: Compute the steps together with those of other runs of this process that have the
            same shape (see :mod:`.together`), in the place of a graph; what comes out differs from
            a run alone by rounding.
        **settings: ``val_begin``, ``val_interval``, ``dynamic_intervals`` of MMEngine's loop.

    Raises:
        UserError: The data set is no such tensor, ``graph`` is none of these, or two of ``graph``,
            ``compile`` and ``together`` are asked for.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | Mapping,
        max_epochs: int,
        channels_last: bool | None = None,
        graph: Graph = None,
        compile: bool | Mapping[str, Any] = False,
        together: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(runner, dataloader, max_epochs, **settings)
        self._batches = ResidentBatches(self.dataloader)
        self._channels_last, self._compile = channels_last, compile
        if together and (graph or compile is not False):
            raise UserError(
                'FastEpochLoop: graph, compile and together are three ways; take one of them.'
            )
        self._together = together
        self._steps = RecordedSteps(runner, False if together else graph, compile is not False)

    @property
    def graph_left_out(self) -> str | None:
        """Why steps are not recorded although they were to be; None otherwise."""
        return self._steps.left_out

    def run(self) -> nn.Module:
        """Train from the current epoch to the last, validating between them."""
        model = model_of(self.runner)
        device = next(model.parameters()).device
        self._batches.to(device)
        if device.type == 'cpu':
            keep_freed_memory()
        if self._channels_last or (self._channels_last is None and device.type == 'cuda'):
            lay_channels_last(model, self.runner.optim_wrapper.optimizer)
        try:
            with joined(self.runner) if self._together else self._compiled(model, device):
                return super().run()
        finally:
            self._steps.end()

    def _compiled(self, model: nn.Module, device: torch.device) -> AbstractContextManager[None]:
        if self._compile is False:
            return nullcontext()
        options = {} if self._compile is True else self._compile
        return compiled(model, options, device, self.runner.logger)

    def run_epoch(self) -> None:
        """One pass over the data."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        make_cheap(self.runner.message_hub, 'train/')
        self._hooks = self._steps.start_epoch()
        for index, batch in enumerate(self._batches):
            self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def run_iter(self, idx: int, data_batch: Mapping[str, Tensor]) -> None:
        """One step, with the hooks that act in a step.

        Args:
            idx: Number of the batch within the epoch.
            data_batch: ``inputs`` and ``gt_label``.
        """
        runner = self.runner
        for act in self._hooks.before:
            act(runner, batch_idx=idx, data_batch=data_batch)
        outputs = self._steps(data_batch)
        for act in self._hooks.after:
            act(runner, batch_idx=idx, data_batch=data_batch, outputs=outputs)
        self._iter += 1
