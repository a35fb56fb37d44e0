"""Fixtures for all tests: the shared folder, small networks, a tiny training config."""

import contextlib
import io
import os
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import NamedTuple

import mmengine.config.config
import pytest
import torch
from hypothesis import HealthCheck, settings
from mmengine.config import Config
from mmengine.hooks import Hook
from yapf.yapflib import yapf_api

from rethink_det.architecture import PrunedArchitecture
from rethink_det.cli import main
from rethink_det.datasets import ImageTensorDataset
from rethink_det.registry import DATASETS, HOOKS

settings.register_profile(
    'rethink_det',
    deadline=None,
    max_examples=15,
    derandomize='CI' in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile('rethink_det')


@pytest.fixture(scope='session', autouse=True)
def formatted_once():
    """A run formats the text of its config ten times, which is half of the time of a tiny one."""
    with pytest.MonkeyPatch.context() as patch:
        known, really = {}, yapf_api.FormatCode

        def format_code(text, **options):
            if text not in known:
                known[text] = really(text, **options)
            return known[text]

        for module in (yapf_api, mmengine.config.config):  # one line's or the other's
            patch.setattr(module, 'FormatCode', format_code, raising=False)
        yield


def pytest_collection_modifyitems(items):
    """A test says by a mark what device it needs."""
    there = torch.cuda.is_available()
    needs_gpu = pytest.mark.skip(reason='needs a CUDA device, and there is none here')
    needs_none = pytest.mark.skip(reason='takes for granted that there is no CUDA device')
    for item in items:
        if not there and item.get_closest_marker('gpu'):
            item.add_marker(needs_gpu)
        if there and item.get_closest_marker('cpu'):
            item.add_marker(needs_none)


@pytest.fixture(scope='session', autouse=True)
def own_cache(tmp_path_factory):
    """What is kept for a user between commands: nothing of that who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture(scope='session')
def shared() -> Path:
    """The folder of shared data and weights beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / 'shared'
    folder = Path(os.environ.get('RETHINK_DET_SHARED', beside))
    if not folder.is_dir():
        pytest.skip(f'no shared folder at {folder}; set RETHINK_DET_SHARED')
    return folder


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory):
    """Where :func:`tests.tiny_configs.shrink` writes its data, each kind once; 200 MB."""
    folder = tmp_path_factory.mktemp('tiny_data')
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope='session')
def cifar():
    """Makes the architecture of a small CIFAR ResNet."""

    def make(depth=8, base_channels=4, shortcut='avgpool', classes=3, **fields):
        backbone = dict(
            type='rethink_det.CifarResNet',
            depth=depth,
            base_channels=base_channels,
            shortcut=shortcut,
        )
        head = dict(type='rethink_det.LinearHead', num_classes=classes)
        return PrunedArchitecture(backbone, head, (3, 16, 16), **fields)

    return make


@pytest.fixture(scope='session')
def unsettle():
    """Gives a model lively BatchNorms: nothing at 0 or 1 that could hide a mistake."""

    @torch.no_grad()
    def change(model, seed=0):
        generator = torch.Generator().manual_seed(seed)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(-1, 1, generator=generator)
                module.bias.normal_(0, 0.2, generator=generator)
                module.running_mean.normal_(0, 0.2, generator=generator)
                module.running_var.uniform_(0.5, 2, generator=generator)
        return model

    return change


@DATASETS.register_module(force=True)
class TinyImages(ImageTensorDataset):
    """Noise of two brightnesses, the two classes."""

    def __init__(self, count: int = 24, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        labels = torch.arange(count) % 2
        noise = torch.randint(0, 200, (count, 3, 8, 8), generator=generator)
        images = noise + 50 * labels[:, None, None, None]
        super().__init__(images.to(torch.uint8), labels, ('dark', 'bright'))


@HOOKS.register_module(force=True)
class KillHook(Hook):
    """The power fails before an iteration (3 an epoch)."""

    only_looks = True

    def __init__(self, iteration: int):
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            raise KeyboardInterrupt


@pytest.fixture(scope='session')
def tiny_config_in():
    """Makes the config of a training run of a fraction of a second, its work dir in a folder."""

    def loader(count, seed):
        return dict(
            batch_size=8,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=dict(type='rethink_det.TinyImages', count=count, seed=seed),
            collate_fn=dict(type='rethink_det.batch_collate'),
        )

    def make(folder, work_dir='run', epochs=3, seed=1, lr=0.05, hooks=(), **changes):
        metric = dict(type='rethink_det.Accuracy', topk=(1,))
        config = dict(
            default_scope='mmengine',
            model=dict(
                type='rethink_det.Classifier',
                backbone=dict(type='rethink_det.CifarResNet', depth=8, base_channels=4),
                head=dict(type='rethink_det.LinearHead', num_classes=2),
                input_shape=(3, 8, 8),
                data_preprocessor=dict(
                    type='rethink_det.ImagePreprocessor', mean=[125.0] * 3, std=[60.0] * 3, pad=1
                ),
            ),
            train_dataloader=loader(24, 0),
            val_dataloader=loader(16, 1),
            test_dataloader=loader(16, 1),
            val_evaluator=metric,
            test_evaluator=metric,
            train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=1),
            val_cfg=dict(),
            test_cfg=dict(),
            optim_wrapper=dict(
                type='OptimWrapper', optimizer=dict(type='SGD', lr=lr, momentum=0.9)
            ),
            param_scheduler=[dict(type='MultiStepLR', milestones=[1, 2], gamma=0.5)],
            custom_hooks=list(hooks),
            randomness=dict(seed=seed),
            work_dir=str(folder / work_dir),
            log_level='WARNING',
        )
        return Config({**config, **changes})

    return make


@pytest.fixture
def tiny_config(tiny_config_in, tmp_path):
    """The same in the folder of the test."""
    return partial(tiny_config_in, tmp_path)


@pytest.fixture
def ctrl_c_heard():
    """Whoever starts the tests in the background has Ctrl-C ignored, and so have their children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Done(NamedTuple):
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture(scope='session')
def command():
    """Runs ``rethink-det ...`` in this process."""

    def run(*arguments) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as end,
        ):
            main([str(argument) for argument in arguments])
        return Done(end.value.code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def refusal(command):
    """Runs a command that must refuse; returns its message, one line on stderr."""

    def run(*arguments) -> str:
        done = command(*arguments)
        assert done.status == 2, done
        assert 'Traceback' not in done.out + done.err
        messages = [line for line in done.err.splitlines() if 'error: ' in line]
        assert len(messages) == 1, done.err
        assert done.err.splitlines()[-1] == messages[0]
        return messages[0]

    return run


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home, and a project in it in which one works."""
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'project').mkdir()
    monkeypatch.chdir(tmp_path / 'project')
    return tmp_path
