"""No worker process of a data loader outlives its run."""

import multiprocessing

import pytest

from rethink_det.training.launch import evaluate, train
from rethink_det.training.resumable import last_checkpoint

WORKERS = dict(num_workers=1, persistent_workers=True)


@pytest.fixture
def config(tiny_config):
    """The tiny config, with a worker for each loader that stays between epochs."""

    def make(**changes):
        config = tiny_config(epochs=2, **changes)
        for split in ('train', 'val', 'test'):
            config[f'{split}_dataloader'].update(WORKERS)
        return config

    return make


@pytest.fixture
def left():
    """Gives the processes that were not there before."""
    before = multiprocessing.active_children()
    return lambda: [child for child in multiprocessing.active_children() if child not in before]


def test_workers_end_with_training_and_with_evaluation(config, left):
    metrics = train(config())
    assert left() == []
    assert evaluate(config(), last_checkpoint(config().work_dir)) == metrics
    assert left() == []


def test_workers_end_with_a_run_that_is_broken_off(config, left):
    kill = dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(config(hooks=[kill]))
    assert left() == []
