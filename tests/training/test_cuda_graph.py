"""A step as a CUDA graph: what it computes is what the step computes."""

import random

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from rethink_det.architecture.weight_masks import pack
from rethink_det.classification import Classifier
from rethink_det.registry import MODELS
from rethink_det.training.cuda_graph import _cpu_generators, checked
from rethink_det.training.launch import prepare, train
from rethink_det.training.resumable import last_checkpoint
from rethink_det.training.static_step import WARM_UP, NotRecordedError

EXACT = 0.0625
"""A learning rate that single precision has exactly, as a graph reads it; so are its halves."""
LAST = 'backbone.layer3.0.conv2.weight'

HOOKS = {
    'plain': [],
    'slimming': [dict(type='rethink_det.SparsityHook', scale=0.01)],
    'gradual': [
        dict(type='rethink_det.GradualMagnitudeHook', sparsity=0.5, begin=1, end=3, interval=1)
    ],
    'structures': [dict(type='rethink_det.StructureScaleHook', weight=0.01)],
    'soft': [dict(type='rethink_det.SoftFilterHook', keep=0.5)],
    'ema': [dict(type='EMAHook')],
    'progress': [dict(type='rethink_det.ProgressHook', interval=0)],
}
OPTIMIZERS = {
    'SGD': dict(type='SGD', lr=EXACT, momentum=0.9, weight_decay=1e-3, fused=True),
    'Adam': dict(type='Adam', lr=EXACT / 64, capturable=True),
    'AdamW': dict(type='AdamW', lr=EXACT / 64, weight_decay=0.125, capturable=True),
}


@pytest.fixture
def steady(monkeypatch):
    """Kernels that add in one order, so that two runs end alike to the last bit."""
    monkeypatch.setattr(torch.backends.cudnn, 'deterministic', True)
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', False)


@pytest.fixture
def fast(tiny_config, steady):
    """Makes the tiny config with FastEpochLoop and nine steps, of which a graph repeats six."""

    def make(*args, graph=None, batch=8, **changes):
        changes.setdefault('optim_wrapper', dict(type='OptimWrapper', optimizer=OPTIMIZERS['SGD']))
        config = tiny_config(*args, **changes)
        config.train_cfg.pop('by_epoch')
        config.train_cfg.update(type='rethink_det.FastEpochLoop', graph=graph)
        config.train_dataloader.batch_size = batch
        return config

    return make


@pytest.fixture
def replays(monkeypatch):
    """How often a graph was replayed."""
    really, done = torch.cuda.CUDAGraph.replay, []

    def replay(graph):
        done.append(graph)
        really(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, 'replay', replay)
    return done


def end_of(config) -> dict:
    train(config)
    return load_checkpoint(last_checkpoint(config.work_dir))


def assert_same(one: dict, other: dict) -> None:
    """Two trainings ended alike to the last bit: weights, BatchNorm's counters, losses."""
    assert digest(one['state_dict']) == digest(other['state_dict'])
    losses = [end['message_hub']['log_scalars']['train/loss'][0] for end in (one, other)]
    assert torch.equal(*losses)


# -- on a GPU ---------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.parametrize('hooks', HOOKS)
def test_hooks_do_in_a_graph_what_they_do_without(fast, replays, hooks):
    graph = end_of(fast('graph', hooks=HOOKS[hooks]))
    assert len(replays) == 9 - WARM_UP
    assert_same(graph, end_of(fast('eager', graph=False, hooks=HOOKS[hooks])))


@pytest.mark.gpu
def test_masks_hold_in_a_graph(fast, replays, tmp_path):
    name, shape = 'backbone.layer1.0.conv1.weight', (4, 4, 3, 3)
    mask = torch.arange(144).view(shape) % 2 == 0
    save_checkpoint({'masks': pack({name: mask})}, tmp_path / 'masks.pth')
    held = [dict(type='rethink_det.MaskHook', checkpoint=str(tmp_path / 'masks.pth'))]
    graph = end_of(fast('graph', hooks=held))
    assert replays and not graph['state_dict'][name][~mask].any()
    assert_same(graph, end_of(fast('eager', graph=False, hooks=held)))


@pytest.mark.gpu
@pytest.mark.parametrize('optimizer', OPTIMIZERS)
@pytest.mark.parametrize('wrapper', ['OptimWrapper', 'rethink_det.BFloat16OptimWrapper'])
def test_every_optimizer_and_precision(fast, replays, optimizer, wrapper):
    settings = dict(optim_wrapper=dict(type=wrapper, optimizer=OPTIMIZERS[optimizer]))
    graph = end_of(fast('graph', **settings))
    assert replays
    assert_same(graph, end_of(fast('eager', graph=False, **settings)))


@pytest.mark.gpu
def test_rates_that_change_in_every_step_are_followed(fast, replays):
    warm_up = [dict(type='LinearLR', start_factor=0.25, by_epoch=False, begin=0, end=8)]
    settings = dict(
        param_scheduler=warm_up,
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.3, momentum=0.9)),
    )
    graph = end_of(fast('graph', **settings))
    assert replays
    assert_same(graph, end_of(fast('uncaptured', graph='uncaptured', **settings)))
    # Against the kernels that MMEngine's loop takes: within rounding.
    eager = end_of(fast('eager', graph=False, **settings))['state_dict']
    assert torch.allclose(graph['state_dict'][LAST], eager[LAST], rtol=1e-2, atol=1e-3)


@pytest.mark.gpu
def test_a_smaller_last_batch(fast, replays):
    graph = end_of(fast('graph', 5, batch=7))  # 7, 7, 7, 3
    assert len({id(one) for one in replays}) == 2
    assert_same(graph, end_of(fast('eager', 5, graph=False, batch=7)))


@pytest.mark.gpu
@pytest.mark.parametrize('hooks', ['plain', 'gradual', 'structures'])
def test_a_killed_run_ends_as_the_unbroken_one(fast, replays, hooks):
    kill = dict(type='rethink_det.KillHook', iteration=7)
    with pytest.raises(KeyboardInterrupt):
        train(fast('killed', 4, hooks=[kill, *HOOKS[hooks]]))
    torch.rand(5, device='cuda')  # what was drawn before must not matter
    resumed = end_of(fast('killed', 4, resume=True, hooks=HOOKS[hooks]))
    assert replays
    assert_same(resumed, end_of(fast('unbroken', 4, hooks=HOOKS[hooks])))


@pytest.mark.gpu
def test_a_run_begun_on_the_gpu_goes_on_with_any_loop(fast, tiny_config):
    settings = dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.001)))
    train(fast('run', 2, **settings))
    groups = load_checkpoint(last_checkpoint(tiny_config('run').work_dir))['optimizer']
    (group,) = groups['param_groups']
    assert isinstance(group['lr'], float) and not group['capturable']
    train(tiny_config('run', 3, resume=True, **settings))


@MODELS.register_module(force=True)
class Waiting(Classifier):
    """Reads a number in each step, for which the GPU must be waited for."""

    def forward(self, inputs, gt_label=None, mode='tensor'):
        assert inputs.sum().item() == inputs.sum().item()
        return super().forward(inputs, gt_label, mode)


@MODELS.register_module(force=True)
class Rolling(Classifier):
    """Draws a number in Python in each step."""

    def forward(self, inputs, gt_label=None, mode='tensor'):
        return super().forward(inputs * (1 + random.random() / 8), gt_label, mode)


@pytest.mark.gpu
@pytest.mark.parametrize(
    'model, reason',
    [('Waiting', 'the step cannot be captured'), ('Rolling', 'draws random numbers on the CPU')],
)
def test_what_cannot_be_captured_is_trained_all_the_same(fast, replays, capsys, model, reason):
    def make(*args, **settings):
        config = fast(*args, **settings)
        config.model.type = f'rethink_det.{model}'
        return config

    graph = end_of(make('graph', graph=True))
    assert not replays
    assert reason in ' '.join(capsys.readouterr().out.split())
    assert_same(graph, end_of(make('eager', graph=False)))


@pytest.mark.gpu
def test_a_hook_that_is_not_known_makes_it_eager(fast, replays):
    class Looks(Hook):
        def after_train_iter(self, runner, batch_idx, **kwargs):
            pass

    runner = Runner.from_cfg(prepare(fast('run')))
    runner.register_hook(Looks())
    runner.train()
    assert not replays


# -- anywhere -----------------------------------------------------------------------


@pytest.mark.parametrize(
    'draw', [random.random, np.random.rand, lambda: np.random.randn(1), lambda: torch.rand(1)]
)
def test_it_is_noticed_that_a_step_draws_on_the_cpu(draw):
    before = _cpu_generators()
    assert _cpu_generators() == before
    draw()
    assert _cpu_generators() != before


def test_a_value_that_is_no_tensor_would_be_that_of_the_first_step():
    assert checked({'loss': torch.zeros(())}).keys() == {'loss'}
    with pytest.raises(NotRecordedError, match='accuracy=0.5, which is no tensor'):
        checked({'loss': torch.zeros(()), 'accuracy': 0.5})
