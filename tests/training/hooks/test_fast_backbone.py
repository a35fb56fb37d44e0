"""A backbone in another memory format, or compiled: the same network, the same checkpoint."""

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det import UserError
from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.training.hooks import FastBackboneHook
from rethink_det.training.launch import prepare, train
from rethink_det.training.resumable import last_checkpoint

FAST = dict(type='rethink_det.FastBackboneHook')
FUSED = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9, fused=True))


def end(config):
    train(config)
    return load_checkpoint(last_checkpoint(config.work_dir))


def assert_alike(one, other):
    """The same names and shapes, and values within rounding."""
    assert one['state_dict'].keys() == other['state_dict'].keys()
    for name, tensor in one['state_dict'].items():
        assert torch.allclose(tensor, other['state_dict'][name], rtol=1e-3, atol=1e-4), name


def test_weights_and_maps_lie_channels_last_and_compute_the_same(tiny_config):
    seen = []

    class Look(Hook):
        def before_train(self, runner):
            last = runner.model.backbone.layer3[0].conv2
            last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))

        def after_train(self, runner):
            for weight in runner.model.backbone.parameters():
                if weight.ndim == 4:
                    assert weight.is_contiguous(memory_format=torch.channels_last)

    runner = Runner.from_cfg(prepare(tiny_config('fast', 1, hooks=[FAST])))
    runner.register_hook(Look())
    runner.train()
    assert seen and all(x.is_contiguous(memory_format=torch.channels_last) for x in seen)
    fast = load_checkpoint(last_checkpoint(runner.work_dir))
    assert_alike(fast, end(tiny_config('plain', 1)))


def test_a_resumed_run_is_laid_out_again_with_what_its_optimizer_keeps(tiny_config):
    settings, kill = dict(optim_wrapper=FUSED), dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config('run', 2, hooks=[FAST, kill], **settings))
    resumed = end(tiny_config('run', 2, resume=True, hooks=[FAST], **settings))
    assert_alike(resumed, end(tiny_config('unbroken', 2, hooks=[FAST], **settings)))


@pytest.mark.cpu
def test_compiling_is_left_out_with_a_message_without_a_gpu(tiny_config, capsys):
    hook = dict(FAST, channels_last=False, compile=dict(dynamic=True))
    compiled = end(tiny_config('compiled', 1, hooks=[hook]))
    assert 'FastBackboneHook: compile is left out' in ' '.join(capsys.readouterr().out.split())
    assert_alike(compiled, end(tiny_config('plain', 1)))


@pytest.mark.gpu
@pytest.mark.parametrize('settings', [{}, dict(compile=True)], ids=['channels last', 'compiled'])
def test_on_a_gpu_it_learns_what_it_learns_without(tiny_config, settings):
    fast = end(tiny_config('fast', 1, hooks=[dict(FAST, **settings)]))
    plain = end(tiny_config('plain', 1))
    assert fast['state_dict'].keys() == plain['state_dict'].keys()
    for name, tensor in fast['state_dict'].items():
        assert torch.allclose(tensor, plain['state_dict'][name], rtol=0.1, atol=0.05), name


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(channels_last=False), 'neither channels_last nor compile'),
        (dict(channels_last='yes'), 'channels_last is True or False'),
        (dict(compile='max-autotune'), 'compile too, or a dict of options'),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        FastBackboneHook(**settings)


def test_a_model_without_a_backbone_is_refused():
    class Bare:
        model = torch.nn.Linear(1, 1)

    with pytest.raises(UserError, match='Linear has no backbone'):
        FastBackboneHook().before_train(Bare())
