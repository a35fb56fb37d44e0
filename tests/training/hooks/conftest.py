"""Trainings with hooks: at once, killed and resumed, and a mixed-precision wrapper for CPUs."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.architecture.weight_masks import pack
from rethink_det.registry import MODELS
from rethink_det.training.launch import prepare, train
from rethink_det.training.resumable import last_checkpoint


class Watch(Hook):
    """Calls a function with the model at points of the training, after all other hooks."""

    priority = 95

    def __init__(self, **points):
        for point, look in points.items():
            setattr(self, point, lambda runner, look=look, **_: look(runner.model))


@pytest.fixture
def run_with():
    """Trains a config with further hook objects; returns the runner."""

    def run(config, *hooks) -> Runner:
        runner = Runner.from_cfg(prepare(config))
        for hook in hooks:
            runner.register_hook(hook)
        runner.train()
        return runner

    return run


@pytest.fixture
def watch():
    return Watch


@pytest.fixture
def last():
    """The last checkpoint of a config's run."""
    return lambda config: load_checkpoint(last_checkpoint(config.work_dir))


@pytest.fixture
def resumes_alike(tiny_config, last):
    """Asserts that a run killed after any epoch ends as the unbroken one; returns that end."""

    def check(hooks, epochs=3, **changes) -> dict:
        def config(name, *more, **settings):
            return tiny_config(name, epochs, hooks=[*hooks, *more], **changes, **settings)

        train(config('unbroken'))
        whole = last(config('unbroken'))
        for killed in range(1, epochs):
            name, kill = f'broken{killed}', dict(type='rethink_det.KillHook', iteration=3 * killed)
            with pytest.raises(KeyboardInterrupt):
                train(config(name, kill))
            assert last(config(name))['meta']['epoch'] == killed
            train(config(name, resume=True))
            again = last(config(name))
            assert digest(again['state_dict']) == digest(whole['state_dict'])
            assert again['meta']['epoch'] == epochs
        return whole

    return check


@pytest.fixture
def random_masks(tiny_config):
    """Masks that keep about 40 % of every convolution of the tiny classifier."""
    model, generator = MODELS.build(tiny_config().model), torch.Generator().manual_seed(0)
    return {
        name: torch.rand(weight.shape, generator=generator) < 0.4
        for name, weight in model.named_parameters()
        if weight.dim() == 4
    }


@pytest.fixture
def mask_file(random_masks, tmp_path):
    """A checkpoint of nothing but those masks."""
    torch.save({'masks': pack(random_masks)}, tmp_path / 'masks.pth')
    return str(tmp_path / 'masks.pth')


class ScalingWrapper(OptimWrapper):
    """What AmpOptimWrapper does with the loss, on the CPU and without its low precision."""

    def __init__(self, init_scale=1024.0, **settings):
        super().__init__(**settings)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=init_scale)

    def backward(self, loss, **settings):
        self.loss_scaler.scale(loss).backward(**settings)
        self._inner_count += 1

    def step(self, **settings):
        self.loss_scaler.step(self.optimizer, **settings)
        self.loss_scaler.update()


@pytest.fixture
def optim_wrapper():
    """Makes an OptimWrapper, with ``mixed=True`` one that scales the loss."""

    def make(model, mixed=False, lr=1.0, **settings):
        kind = ScalingWrapper if mixed else OptimWrapper
        return kind(optimizer=torch.optim.SGD(model.parameters(), lr), **settings)

    return make


@pytest.fixture
def stand_in():
    """As much of a runner as a hook needs."""
    return lambda **parts: SimpleNamespace(**{'iter': 0, 'cfg': {}, **parts})
