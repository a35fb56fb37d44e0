"""A training that diverges stops at that step, and leaves no checkpoint of it."""

import pytest
import torch

from rethink_det.errors import DivergedError
from rethink_det.training.hooks import FiniteHook
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint


def test_it_stops_with_the_step(tiny_config):
    config = tiny_config(lr=1e30)
    with pytest.raises(DivergedError, match='diverged: the loss is (nan|inf) in step [23] '):
        train(config)
    assert last_checkpoint(config.work_dir) is None


def test_the_command_has_failed_and_was_not_misused(command, tiny_config, tmp_path):
    tiny_config(lr=1000.0).dump(tmp_path / 'wild.py')
    done = command('train', tmp_path / 'wild.py', '--work-dir', tmp_path / 'run')
    assert done.status == 1 and done.err.startswith('error: The training diverged: ')


def test_weights_that_the_last_step_broke_are_not_saved(tiny_config, watch, run_with):
    def spoil(model):
        next(model.parameters()).data.fill_(float('nan'))

    config = tiny_config(epochs=1)
    config.train_dataloader.batch_size = 24  # one step: its loss is of the weights before it
    with pytest.raises(DivergedError, match='diverged: .* is not finite in step 1 '):
        run_with(config, watch(after_train_iter=spoil))
    assert last_checkpoint(config.work_dir) is None


def test_a_config_may_leave_it_out(tiny_config):
    config = tiny_config(epochs=1, default_hooks=dict(finite=None))
    assert train(config)


@pytest.fixture
def losses(stand_in, optim_wrapper):
    """Gives a hook these losses, one a step; with a loss scale or without."""

    def give(values, scaled, interval=4):
        hook = FiniteHook(interval)
        wrapper = optim_wrapper(torch.nn.Linear(1, 1), scaled)
        runner = stand_in(optim_wrapper=wrapper, epoch=0, work_dir='here')
        for number, value in enumerate(values):
            runner.iter = number
            hook.after_train_iter(runner, number, outputs={'loss': torch.tensor(value)})
        runner.iter = len(values)
        hook.after_train_epoch(runner)

    return give


NAN = float('nan')


def test_with_a_loss_scale_single_steps_may_overflow(losses):
    losses([1.0, NAN, 1.0, 1.0, NAN, 1.0], scaled=True)
    with pytest.raises(DivergedError, match='the loss is nan in step 5'):
        losses([1.0, NAN, 1.0, 1.0, NAN, NAN, NAN, NAN], scaled=True)


@pytest.mark.parametrize('step', [1, 4, 6])
def test_without_one_none_may(losses, step):
    values = [1.0] * 6
    values[step - 1] = float('inf')
    with pytest.raises(DivergedError, match=f'the loss is inf in step {step} '):
        losses(values, scaled=False)


def test_what_has_no_loss_is_left_alone(stand_in):
    FiniteHook().after_train_iter(stand_in(epoch=0, work_dir='here'), 0, outputs={'a': 1})
    FiniteHook().after_train_iter(stand_in(epoch=0, work_dir='here'), 0)
