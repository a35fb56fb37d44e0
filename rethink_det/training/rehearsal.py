"""One step of a training and an evaluation of a few images, as the training itself would start."""

import resource
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from math import isfinite
from tempfile import TemporaryDirectory
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.errors import UserError
from rethink_det.training.building import telling_what_is_built
from rethink_det.training.launch import prepare, runner_of
from rethink_det.training.workers import ending_workers

FEW = 8
"""Images that are evaluated, or a batch if that is more."""


class _Enough(Exception):  # noqa: N818
    """The step is done; nothing went wrong."""


@dataclass
class Rehearsal:
    """What the first step of a training came to.

    Attributes:
        losses: By name, of one batch.
        metrics: By name, of a few images and a network of one step; empty without evaluator.
        batch: What the loader gave: the images as the network is handed them, and their labels.
        classes: Names of the classes, as the training data set says.
        peak_bytes: The most memory: of the GPU if there is one, or else of this process.
    """

    losses: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    batch: Mapping = field(default_factory=dict)
    classes: Sequence[str] = ()
    peak_bytes: int = 0


@telling_what_is_built()
def rehearse(config: Config) -> Rehearsal:
    """Build, start, do a step, evaluate a few images, and leave nothing behind.

    Args:
        config: Of a training; its work dir is not written into.

    Raises:
        UserError: A loss is not finite; or whatever the training itself would refuse.
    """
    found, config = Rehearsal(), prepare(config)
    config.log_level = 'ERROR'
    with TemporaryDirectory() as folder:
        config.work_dir, config.resume = folder, False
        runner = runner_of(config)
        runner.register_hook(_FirstStep(found), priority='LOWEST')
        quiet = redirect_stdout(StringIO())  # COCO's tools print tables
        with ending_workers(runner), quiet, suppress(_Enough):
            runner.train()
    return found


class _FirstStep(Hook):
    """Takes note of the first step, evaluates, and ends the training."""

    def __init__(self, found: Rehearsal) -> None:
        self.found = found

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """See the class."""
        self.found.batch = data_batch
        self.found.classes = tuple(runner.train_dataloader.dataset.metainfo.get('classes', ()))
        self.found.losses = {
            name: float(torch.as_tensor(value).detach()) for name, value in (outputs or {}).items()
        }
        wrong = [name for name, value in self.found.losses.items() if not isfinite(value)]
        if wrong:
            raise UserError(f'The first step gives a {wrong[0]} that is not finite.')
        if runner.val_loop is not None:
            self.found.metrics = _evaluated(runner)
        self.found.peak_bytes = _peak()
        raise _Enough


def _evaluated(runner: Runner) -> dict[str, Any]:
    loop, count = runner.val_loop, 0
    runner.model.eval()
    with torch.no_grad():
        for batch in loop.dataloader:
            samples: Sequence = runner.model.val_step(batch)
            loop.evaluator.process(data_samples=samples, data_batch=batch)
            count += len(batch['inputs'])
            if count >= FEW:
                break
    return loop.evaluator.evaluate(count)


def _peak() -> int:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
