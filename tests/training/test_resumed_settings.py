"""A resumed run says what it takes from its checkpoint and what from the config."""

import pytest

from rethink_det import UserError
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint


@pytest.fixture
def resumed(tiny_config):
    """What the log of a resumed run warns of, when the config was changed in between."""

    def resumed(epochs=3, **changes):
        config = tiny_config('run', epochs=2)
        train(config)
        config = tiny_config('run', epochs=epochs, resume=True)
        config.merge_from_dict(changes)
        train(config)
        logs = sorted(last_checkpoint(config.work_dir).parent.rglob('*.log'))
        lines = ''.join(log.read_text() for log in logs).splitlines()
        return [line.split('WARNING - ')[1] for line in lines if 'WARNING - Resumed' in line]

    return resumed


def test_an_unchanged_config_is_nothing_to_speak_of(resumed):
    assert resumed(epochs=2) == []


def test_more_epochs_are_the_configs(resumed):
    schedule, length = resumed(epochs=3)
    assert 'MultiStepLR: end 2 from the checkpoint, not 3 of the config' in schedule
    assert 'max_epochs is 3, and was 2' in length and 'taken from the config' in length


def test_another_learning_rate_is_the_checkpoints(resumed):
    restored, _ = resumed(**{'optim_wrapper.optimizer.lr': 0.007})
    assert 'learning rate 0.05 from the checkpoint, not 0.007 of the config' in restored
    assert 'by load_from instead' in restored


def test_another_batch_size_is_the_configs(resumed):
    *_, length = resumed(**{'train_dataloader.batch_size': 4})
    assert 'an epoch has 6 iterations, and had 3' in length


def test_a_run_that_is_past_its_end_is_refused(resumed):
    with pytest.raises(UserError, match=r'epoch_2.pth has done 2 epochs.*max_epochs is 1'):
        resumed(epochs=1)
