"""No worker process of a data loader outlives its run."""

import multiprocessing

import pytest

from rethink_det.training.launch import evaluate, last_checkpoint, train

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


def test_workers_end_with_training_and_with_evaluation(config):
    before = multiprocessing.active_children()
    metrics = train(config())
    assert multiprocessing.active_children() == before == []
    assert evaluate(config(), last_checkpoint(config().work_dir)) == metrics
    assert multiprocessing.active_children() == []


def test_workers_end_with_a_run_that_is_broken_off(config):
    kill = dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(config(hooks=[kill]))
    assert multiprocessing.active_children() == []
