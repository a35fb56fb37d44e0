"""A training that is timed is the training of this package, and leaves nothing."""

import os
from functools import partial

import pytest

from rethink_det import UserError
from rethink_det.architecture.checkpoint import digest
from rethink_det.benchmark.runner import (
    FAST,
    FLOAT32,
    PLAIN,
    bare_epoch_of,
    check_recorded,
    epoch_of,
    in_training,
    training_config,
)
from rethink_det.training import EpochSeedHook


@pytest.mark.cpu  # bit by bit: a GPU takes the fastest kernels, which round each its own way
def test_the_bare_loop_does_what_the_runner_does(workload):
    def act(make, runner):
        EpochSeedHook().before_train_epoch(runner)  # the bare loop has no hooks
        make(runner)()
        return digest(runner.model.state_dict())

    ends = {
        in_training(training_config(workload, loop, FLOAT32), partial(act, make))
        for loop, make in ((FAST, epoch_of), (PLAIN, epoch_of), (FAST, bare_epoch_of))
    }
    assert len(ends) == 1


@pytest.mark.cpu
def test_a_graph_that_was_left_out_is_not_timed_as_one(workload):
    def act(runner):
        epoch_of(runner)()
        check_recorded(runner)

    in_training(training_config(workload, {**FAST, 'graph': 'uncaptured'}, FLOAT32), act)
    with pytest.raises(UserError, match='graph: left out, this run trains on the cpu'):
        in_training(training_config(workload, {**FAST, 'graph': True}, FLOAT32), act)


def test_nothing_remains_of_a_training_that_was_for_timing(workload, tmp_path, capsys):
    config = training_config(workload, FAST, FLOAT32)
    folder, epochs = in_training(config, lambda r: (r.work_dir, r.train_loop.max_epochs))
    assert not os.path.exists(folder) and epochs == 160
    assert capsys.readouterr().out == ''
