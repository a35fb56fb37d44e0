"""Losses are logged and saved as MMEngine's own hook does it, only later."""

from pathlib import Path

import pytest
import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.training.hooks import LazyLossesHook
from rethink_det.training.launch import prepare
from rethink_det.training.lazy_history import MOST, LazyHistory
from rethink_det.training.resumable import last_checkpoint


def end(config):
    """The runner, its log's lines of training, and what was saved last."""
    config.default_hooks.update(logger=dict(type='LoggerHook', interval=2))
    config.log_level = 'INFO'
    runner = Runner.from_cfg(prepare(config))
    runner.train()
    (log,) = Path(runner.log_dir).glob('*.log')
    rows = [row for row in log.read_text().splitlines() if 'Epoch(train)' in row]
    return (
        runner,
        [row.split('loss: ')[1] for row in rows],
        load_checkpoint(last_checkpoint(runner.work_dir)),
    )


def test_what_is_logged_and_saved_is_what_mmengines_hook_gives(tiny_config):
    ours, own = tiny_config('ours', 2), tiny_config('own', 2)
    ours.default_hooks = {}
    own.default_hooks = dict(runtime_info=dict(type='RuntimeInfoHook'))
    (one, lines, saved), (other, expected, kept) = end(ours), end(own)
    assert [type(hook) for hook in one.hooks if isinstance(hook, RuntimeInfoHook)] == [
        LazyLossesHook
    ]
    assert [type(h) for h in other.hooks if isinstance(h, RuntimeInfoHook)] == [RuntimeInfoHook]
    assert lines == expected != []
    histories = [end['message_hub']['log_scalars']['train/loss'] for end in (saved, kept)]
    for own_column, column in zip(*histories, strict=True):
        assert own_column.dtype == column.dtype and torch.equal(own_column, column)


def test_a_value_is_not_read_before_somebody_looks():
    hub = MessageHub('lazy', log_scalars={})
    runner = type('Run', (), dict(message_hub=hub))()

    class Watched(torch.Tensor):
        reads = 0

        def item(self):
            Watched.reads += 1
            return super().item()

    hook = LazyLossesHook()
    for value in (1.0, 2.0, 3.0):
        hook.after_train_iter(runner, 0, outputs={'loss': torch.tensor(value).as_subclass(Watched)})
    assert Watched.reads <= 1  # the first of a key tells that it is a number
    assert hub.get_scalar('train/loss').data[0].tolist() == [1, 2, 3]


def test_values_do_not_pile_up():
    history = LazyHistory()
    for number in range(MOST + 1):
        history.update(torch.tensor(float(number)))
    assert len(history._new) == 1 and len(history.data[0]) == MOST + 1


def test_what_is_no_number_is_refused_as_mmengine_refuses_it():
    runner = type('Run', (), dict(message_hub=MessageHub('refusing', log_scalars={})))()
    for hook in (LazyLossesHook(), RuntimeInfoHook()):
        with pytest.raises(AssertionError):
            hook.after_train_iter(runner, 0, outputs={'loss': torch.ones(3)})
