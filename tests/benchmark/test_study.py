"""What a study costs beside its runs is within what is promised; at a smaller size than by hand."""

import pytest

from rethink_det.benchmark import study
from rethink_det.errors import UserError


@pytest.mark.slow
def test_many_runs_are_planned_in_no_time(capsys):
    assert study.planning() < 60  # five on an idle machine
    assert 'planning: 2,010 runs of paper/cifar10_resnet56' in capsys.readouterr().out


@pytest.mark.slow
def test_overhead_of_a_run_is_small(capsys):
    assert study.overhead(1) < 5  # half a second on an idle machine
    assert 'overhead: 4 runs of' in capsys.readouterr().out


@pytest.mark.slow
def test_two_workers_do_the_same_runs(capsys):
    assert study.workers(images=128, epochs=1, runs=2) > 0
    assert 'workers: ' in capsys.readouterr().out


def test_without_a_seed_there_is_nothing_to_measure():
    with pytest.raises(UserError, match='--rounds'):
        study.overhead(0)
