"""BFloat16OptimWrapper: activations of training steps in bfloat16, all else in float32."""

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.training.launch import prepare, train
from rethink_det.training.resumable import last_checkpoint

SETTINGS = dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
MIXED = dict(type='rethink_det.BFloat16OptimWrapper', **SETTINGS)


class Types(Hook):
    """Notes the types that a convolution and a weight's gradient have."""

    def __init__(self):
        self.seen = {}

    def before_train(self, runner):
        conv = runner.model.backbone.layer1[0].conv1
        conv.register_forward_hook(self.note_output)
        conv.weight.register_hook(self.note_gradient)

    def note_output(self, module, inputs, output):
        self.seen[module.training] = output.dtype

    def note_gradient(self, gradient):
        self.seen['grad'] = gradient.dtype


@pytest.mark.parametrize('loop', [{}, dict(by_epoch=None, type='rethink_det.FastEpochLoop')])
def test_only_the_steps_are_in_bfloat16(tiny_config, loop):
    config = tiny_config(epochs=1, optim_wrapper=MIXED)
    settings = {**config.train_cfg, **loop}
    config.train_cfg = {name: value for name, value in settings.items() if value is not None}
    hook = Types()
    runner = Runner.from_cfg(prepare(config))
    runner.register_hook(hook)
    runner.train()
    assert hook.seen == {True: torch.bfloat16, False: torch.float32, 'grad': torch.float32}
    tensors = load_checkpoint(last_checkpoint(config.work_dir))['state_dict'].values()
    assert {t.dtype for t in tensors if t.is_floating_point()} == {torch.float32}


def test_it_learns_what_float32_learns(tiny_config):
    mixed = train(tiny_config('mixed', 3, optim_wrapper=MIXED))
    plain = train(tiny_config('plain', 3))
    assert mixed['accuracy/top1'] == pytest.approx(plain['accuracy/top1'], abs=20)
    ends = [last_checkpoint(tiny_config(name).work_dir) for name in ('mixed', 'plain')]
    ours, theirs = (load_checkpoint(end)['state_dict'] for end in ends)
    assert digest(ours) != digest(theirs)
    name = 'backbone.layer3.0.conv2.weight'
    assert torch.allclose(ours[name], theirs[name], atol=0.02)


def test_a_killed_run_ends_as_the_unbroken_one(tiny_config):
    kill = dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config('killed', 2, hooks=[kill], optim_wrapper=MIXED))
    train(tiny_config('killed', 2, resume=True, optim_wrapper=MIXED))
    train(tiny_config('unbroken', 2, optim_wrapper=MIXED))
    ends = [last_checkpoint(tiny_config(name).work_dir) for name in ('killed', 'unbroken')]
    one, other = (digest(load_checkpoint(end)['state_dict']) for end in ends)
    assert one == other
