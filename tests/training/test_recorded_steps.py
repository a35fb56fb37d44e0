"""Steps that are recorded: the same training, and a word where they are not."""

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det import UserError
from rethink_det.architecture.checkpoint import digest
from rethink_det.registry import HOOKS
from rethink_det.training import recorded_steps
from rethink_det.training.launch import prepare, train
from rethink_det.training.recorded_steps import Uncaptured
from rethink_det.training.static_step import NotRecordedError

pytestmark = pytest.mark.cpu
"""Bit by bit; the same on a GPU is in test_cuda_graph.py."""


@pytest.fixture
def static(tiny_config):
    """The tiny config with FastEpochLoop, by default with steps that are recorded."""

    def make(*args, graph='uncaptured', loop=None, **changes):
        config = tiny_config(*args, **changes)
        config.train_cfg.pop('by_epoch')
        config.train_cfg.update(type='rethink_det.FastEpochLoop', graph=graph, **(loop or {}))
        return config

    return make


@pytest.fixture
def recorder(monkeypatch):
    """Notes what is rehearsed, recorded and repeated; may be told to fail."""

    class Noting(Uncaptured):
        made = []

        def __init__(self):
            super().__init__()
            self.notes, self.error = [], Noting.error
            Noting.made.append(self)

        def rehearse(self, step):
            self.notes.append('rehearsed')
            return super().rehearse(step)

        def record(self, step):
            self.notes.append('recorded')
            if self.error:
                raise NotRecordedError(self.error)
            return super().record(step)

    Noting.error = None
    monkeypatch.setattr(recorded_steps, 'Uncaptured', Noting)
    return Noting


def weights_of(config):
    runner = Runner.from_cfg(prepare(config))
    runner.train()
    return digest(runner.model.state_dict())


def test_the_first_steps_are_done_and_later_ones_repeated(static, tiny_config, recorder):
    assert weights_of(static('static', 3)) == weights_of(tiny_config('plain', 3))
    (one,) = recorder.made
    assert one.notes == 3 * ['rehearsed'] + ['recorded']  # and six of nine steps were repeated


def test_a_smaller_last_batch_has_a_recording_of_its_own(static, tiny_config, recorder):
    ours, plain = static('static', 5), tiny_config('plain', 5)
    for config in (ours, plain):
        config.train_dataloader.batch_size = 7  # 7, 7, 7, 3
    assert weights_of(ours) == weights_of(plain)
    (one,) = recorder.made
    assert one.notes.count('recorded') == 2 and one.notes.count('rehearsed') == 6


def test_what_cannot_be_recorded_is_done_as_ever_and_said_once(
    static, tiny_config, recorder, capsys
):
    recorder.error = 'the device has no time'
    structures = dict(type='rethink_det.StructureScaleHook', weight=0.01)  # acts within the step
    settings = dict(hooks=[structures])
    assert weights_of(static('static', 3, **settings)) == weights_of(
        tiny_config('plain', 3, **settings)
    )
    out = capsys.readouterr().out
    assert out.count('graph: left out, the device has no time.') == 1


@pytest.mark.parametrize('kind', ['SGD', 'Adam', 'AdamW'])
def test_every_optimizer_and_precision_that_is_recorded_trains_alike(static, tiny_config, kind):
    for wrapper in ('OptimWrapper', 'rethink_det.BFloat16OptimWrapper'):
        optimizer = dict(type=kind, lr=0.01, weight_decay=0.1)
        settings = dict(optim_wrapper=dict(type=wrapper, optimizer=optimizer))
        ours, plain = static('static', 3, **settings), tiny_config('plain', 3, **settings)
        assert weights_of(ours) == weights_of(plain), (kind, wrapper)


def test_rates_of_single_layers_hold(static, tiny_config):
    optimizer = dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=1e-3)
    wrapper = dict(
        type='OptimWrapper',
        optimizer=optimizer,
        paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=0.1)}, norm_decay_mult=0.0),
    )
    structures = dict(type='rethink_det.StructureScaleHook', weight=0.01)  # reads the base rate
    settings = dict(optim_wrapper=wrapper, hooks=[structures])
    ours, plain = static('static', 3, **settings), tiny_config('plain', 3, **settings)
    assert weights_of(ours) == weights_of(plain)


def test_after_a_training_nothing_of_it_is_kept(static, recorder):
    runner = Runner.from_cfg(prepare(static('run', 2)))
    runner.train()
    (one,) = recorder.made
    assert 'recorded' in one.notes and runner.train_loop._steps._static is None


# -- what is left out, and its message --------------------------------------------------------


@HOOKS.register_module(force=True)
class Meddler(Hook):
    """Acts in each step, nobody knows how."""

    def after_train_iter(self, runner, batch_idx, **kwargs):
        pass


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(hooks=[dict(type='rethink_det.Meddler')]), 'Meddler acts in each step'),
        (
            dict(hooks=[dict(type='rethink_det.GroupSparsityHook')]),
            'GroupSparsityHook acts in each step',
        ),
        (
            dict(optim_wrapper=dict(optimizer=dict(type='RMSprop', lr=0.01))),
            'the step of RMSprop is not known to be recordable; known are SGD, Adam, AdamW',
        ),
        (
            dict(
                optim_wrapper=dict(
                    optimizer=dict(type='SGD', lr=0.01), clip_grad=dict(max_norm=1.0)
                )
            ),
            'optim_wrapper.clip_grad reads the norm',
        ),
        (
            dict(optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01), accumulative_counts=2)),
            'optim_wrapper.accumulative_counts',
        ),
        (
            dict(param_scheduler=[dict(type='ConstantMomentum', factor=0.5, end=1)]),
            'ConstantMomentum changes momentum while it trains',
        ),
    ],
    ids=['hook', 'group sparsity', 'optimizer', 'clipping', 'accumulation', 'momentum'],
)
def test_the_message_names_what_stands_against_it(
    static, tiny_config, recorder, capsys, changes, message
):
    assert weights_of(static('static', 2, **changes)) == weights_of(
        tiny_config('plain', 2, **changes)
    )
    out = ' '.join(capsys.readouterr().out.split())
    assert out.count(f'graph: left out, {message}') == 1
    assert not recorder.made


def test_without_a_gpu_a_graph_is_left_out_and_only_who_asked_hears_it(static, capsys):
    train(static('default', 1, graph=None))
    assert 'graph: left out' not in capsys.readouterr().out
    train(static('asked', 1, graph=True))
    assert 'graph: left out, this run trains on the cpu' in capsys.readouterr().out


def test_a_hook_that_acts_between_epochs_nobody_knows_how_makes_it_record_anew(static, recorder):
    class Changes(Hook):
        def after_train_epoch(self, runner):
            pass

    config = static('run', 4)
    config.train_dataloader.batch_size = 4  # six steps an epoch
    runner = Runner.from_cfg(prepare(config))
    runner.register_hook(Changes())
    runner.train()
    (one,) = recorder.made
    assert one.notes == 4 * (3 * ['rehearsed'] + ['recorded'])


def test_weights_that_are_put_elsewhere_are_noticed(static, recorder):
    class Moves(Hook):
        only_looks = True  # which is not true

        def before_train_epoch(self, runner):
            if runner.epoch == 2:
                weight = runner.model.head.fc.weight
                weight.data = weight.data.clone()

    runner = Runner.from_cfg(prepare(static('run', 4)))
    runner.register_hook(Moves())
    runner.train()
    (one,) = recorder.made
    assert one.notes == 2 * (3 * ['rehearsed'] + ['recorded'])


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize('graph', ['yes', 1, 'captured'])
def test_what_graph_may_be_is_said(static, graph):
    with pytest.raises(UserError, match="graph must be True, False, None or 'uncaptured'"):
        train(static(graph=graph))


@pytest.mark.parametrize('graph', [True, 'uncaptured'])
def test_a_graph_and_compiled_code_exclude_each_other(static, graph):
    with pytest.raises(UserError, match='train_cfg.graph=.* and train_cfg.compile exclude'):
        train(static(graph=graph, loop=dict(compile=True)))
