"""This package's own training in a benchmark: a shipped recipe, on noise, on MMEngine's Runner."""

import contextlib
import io
import tempfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.benchmark.workload import (
    FLIP,
    MEAN,
    PAD,
    SGD,
    STD,
    Workload,
)
from rethink_det.datasets import ImageTensorDataset
from rethink_det.errors import UserError
from rethink_det.registry import DATASETS
from rethink_det.training.bfloat16 import BFloat16OptimWrapper
from rethink_det.training.config import find_config, load_config
from rethink_det.training.device import current_device, wait_for
from rethink_det.training.launch import prepare
from rethink_det.training.model import model_of
from rethink_det.training.resident import ResidentBatches

RECIPE = 'classification/resnet56_l1norm_cifar10.py'
FAST = {'type': 'rethink_det.FastEpochLoop'}
EAGER = {**FAST, 'graph': False}
"""The same, one operation at a time also on a GPU."""
PLAIN = {'by_epoch': True}
FLOAT32 = {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', **SGD}}
BFLOAT16 = {
    'type': 'rethink_det.BFloat16OptimWrapper',
    'optimizer': {'type': 'SGD', **SGD, 'fused': True},
}

Result = TypeVar('Result')


@DATASETS.register_module()
class NoiseImages(ImageTensorDataset):
    """The images of a :class:`Workload`, whose fields it takes."""

    def __init__(self, **fields: Any) -> None:
        workload = Workload(**fields)
        classes = [str(number) for number in range(workload.classes)]
        super().__init__(*workload.noise(), classes)


def ways() -> dict[str, tuple[Mapping, Mapping]]:
    """How this machine's device may train: loop and optimizer wrapper, by a name."""
    if current_device().type == 'cpu':
        return {'float32': (FAST, FLOAT32), 'bfloat16': (FAST, BFLOAT16)}
    compiled = {**EAGER, 'compile': True}
    return {
        'bfloat16': (EAGER, BFLOAT16),
        'bfloat16, graph': (FAST, BFLOAT16),
        'bfloat16, compiled': (compiled, BFLOAT16),
    }


def usual_precision() -> tuple[str, Mapping]:
    """What everything but throughput is measured in: its name, and the optimizer wrapper."""
    on_cpu = current_device().type == 'cpu'
    return ('float32', FLOAT32) if on_cpu else ('bfloat16', BFLOAT16)


def training_config(
    workload: Workload, loop: Mapping, optim_wrapper: Mapping, evaluated: bool = False
) -> Config:
    """The recipe of CIFAR-10 for this workload, with the hooks of every run.

    Args:
        workload: What to train.
        loop: ``train_cfg`` without its epochs.
        optim_wrapper: ``FLOAT32`` or ``BFLOAT16``.
        evaluated: Whether the network is evaluated, on images like those that it trains on.
    """
    config = load_config(find_config(RECIPE))
    config.model = {
        'type': 'rethink_det.Classifier',
        'backbone': {'type': 'rethink_det.PrunedBackbone', 'architecture': workload.network},
        'data_preprocessor': {
            'type': 'rethink_det.ImagePreprocessor',
            'mean': [255 * value for value in MEAN],
            'std': [255 * value for value in STD],
            'pad': PAD,
            'flip': FLIP,
        },
    }
    config.train_dataloader.batch_size = workload.batch
    config.train_dataloader.dataset = {'type': 'rethink_det.NoiseImages', **vars(workload)}
    if evaluated:
        config.val_dataloader.dataset = config.train_dataloader.dataset
    for part in ('dataloader', 'cfg', 'evaluator'):
        config[f'test_{part}'] = None
        if not evaluated:
            config[f'val_{part}'] = None
    config.train_cfg = {**loop, 'max_epochs': 160}
    config.optim_wrapper = optim_wrapper
    # An epoch is a hundredth of a real one here, and a checkpoint would be as long as ever.
    config.default_hooks.checkpoint = {'type': 'CheckpointHook', 'interval': -1}
    return prepare(config)


class _Instead(Hook):
    """Does something in the place of training, when all is ready for it."""

    priority = 'LOWEST'

    def __init__(self, act: Callable[[Runner], object]) -> None:
        self.act = act

    def before_train(self, runner: Runner) -> None:
        self.act(runner)
        runner.train_loop.stop_training = True


def in_training(config: Config, act: Callable[[Runner], Result]) -> Result:
    """What ``act`` returns, which is given a runner where its training would begin.

    Everything is as in training then: model, optimizer, memory formats, compiled code.
    Nothing is printed, and no file remains.
    """
    results: list[Result] = []
    hook = _Instead(lambda runner: results.append(act(runner)))
    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as folder:
        config.work_dir = folder
        runner = Runner.from_cfg(config)
        runner.register_hook(hook)
        runner.train()
    (result,) = results
    return result


def epoch_of(runner: Runner) -> Callable[[], None]:
    """A function that trains for an epoch by the runner's loop."""
    device = next(runner.model.parameters()).device

    def epoch() -> None:
        runner.train_loop.run_epoch()
        wait_for(device)

    return epoch


def check_recorded(runner: Runner) -> None:
    """Refuse a time that is not what it is called.

    Args:
        runner: That has trained by ``FastEpochLoop``, whose steps were to be recorded.

    Raises:
        UserError: They were not; with the reason.
    """
    if runner.train_loop.graph_left_out is not None:
        raise UserError(f'graph: left out, {runner.train_loop.graph_left_out}.')


def bare_epoch_of(runner: Runner) -> Callable[[], None]:
    """The same without MMEngine's part: the model, its preprocessor, the optimizer."""
    model, optimizer = model_of(runner), runner.optim_wrapper.optimizer
    device = next(model.parameters()).device
    batches = ResidentBatches(runner.train_dataloader)
    batches.to(device)
    mixed = isinstance(runner.optim_wrapper, BFloat16OptimWrapper)

    def epoch() -> None:
        model.train()
        for batch in batches:
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                data = model.data_preprocessor(batch, training=True)
                loss = model(**data, mode='loss')['loss']
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        wait_for(device)

    return epoch
