"""The ledger: whoever takes weights owes all that led to them, whoever takes a shape its price."""

from dataclasses import replace

import pytest

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.pruning import build_pruner
from rethink_det.pruning.passes import Passes
from rethink_det.report import RunResult
from rethink_det.report.spent import NOTHING, Spent
from rethink_det.study import ledger

ALL, SHAPE = Spent(100, 20, 5, {'GPU': 4.0}), Spent(7, 1, 0, {'GPU': 1.0}, ('a part',))
PRUNED = RunResult(
    'pruning', 'pruned', 0, total_train_macs=100, shape_train_macs=7, total_spent=ALL,
    shape_spent=SHAPE,
)  # fmt: skip


@pytest.mark.parametrize(
    'stage, arm, owed',
    [
        (CLASSIFICATION, 'fine-tune', ALL),
        (CLASSIFICATION, 'lottery', ALL),
        (CLASSIFICATION, 'scratch-e', SHAPE),
        (CLASSIFICATION, 'scratch-b', SHAPE),
        (DETECTION, 'prune-c', ALL),
        (DETECTION, 'scratch-b', ALL),  # the backbone's own training
        (DETECTION, 'prune-d', ALL),
        (DETECTION, 'random', SHAPE),
    ],
)
def test_an_arm_owes_what_it_cannot_do_without(stage, arm, owed):
    assert ledger.owed(ARMS.get(stage, arm), PRUNED) == owed


def test_what_has_no_parent_owes_nothing():
    assert ledger.owed(ARMS.reference(CLASSIFICATION), None) == NOTHING


@pytest.mark.parametrize(
    'pruner, price',
    [
        (dict(type='L1NormPruner', ratios=0.5), NOTHING),
        (dict(type='ThiNetPruner', ratios=0.5), NOTHING),  # its data choose channels, not widths
        (dict(type='MagnitudePruner', ratio=0.5), ALL),
    ],
)
def test_a_shape_costs_what_told_it(pruner, price):
    assert ledger.of_shape(build_pruner(pruner), ALL) == price


def test_of_a_run_of_before_the_training_alone_is_known():
    older = replace(PRUNED, total_spent=None, shape_spent=None)
    found = ledger.owed(ARMS.get(CLASSIFICATION, 'fine-tune'), older)
    assert found == Spent(100, not_counted=(ledger.OLDER,))
    free = replace(older, shape_train_macs=0)
    assert ledger.owed(ARMS.get(CLASSIFICATION, 'scratch-e'), free) == NOTHING


def test_neck_and_heads_that_a_run_of_before_left_out_are_not_counted_as_nothing():
    older = replace(PRUNED, stage='detector-pruning', macs=9, macs_of='backbone')
    found = ledger.owed(ARMS.get(DETECTION, 'prune-d'), older)
    assert found.training is None
    assert ledger.BACKBONE_ALONE in found.not_counted
    whole = replace(older, macs_of='detector')
    assert ledger.owed(ARMS.get(DETECTION, 'prune-d'), whole) == ALL


def test_the_time_of_a_run_counts_in_all_that_it_took():
    own, first = replace(NOTHING, evaluation=3), replace(NOTHING, device_s={'CPU core': 2.5})
    run = replace(PRUNED, spent=own, shape_spent=NOTHING)
    timed = ledger.timed(run, {'CPU core': 2.5}, complete=False)
    assert timed.spent == replace(first, evaluation=3, not_counted=(ledger.LOST,))
    assert timed.total_spent.device_s == {'GPU': 4.0, 'CPU core': 2.5}
    assert timed.shape_spent == NOTHING  # known beforehand
    slim = ledger.timed(replace(run, shape_spent=ALL), {'GPU': 1.0}, complete=True)
    assert slim.shape_spent == replace(ALL, device_s={'GPU': 5.0})


@pytest.mark.parametrize(
    'epochs, every, begin, times',
    [(5, 1, 1, 5), (5, 2, 1, 3), (4, 2, 1, 2), (5, 9, 1, 1), (6, 1, 4, 3), (6, 4, 7, 1)],
)
def test_an_evaluation_counts_as_often_as_it_is_made(tiny_config, epochs, every, begin, times):
    config = tiny_config(epochs=epochs)
    config.train_cfg.update(val_interval=every, val_begin=begin)
    assert ledger.evaluations(config) == times
    found = ledger.of_evaluations([config, config], macs=5)
    assert found == 2 * times * 5 * 16


def test_without_an_evaluator_nothing_is_evaluated(tiny_config):
    config = tiny_config(epochs=3)
    config.val_dataloader = config.val_evaluator = config.val_cfg = None
    assert ledger.evaluations(config) == ledger.of_evaluations([config], 5) == 0


def test_a_look_with_a_gradient_costs_three():
    assert ledger.of_pruning(Passes(forward=10, backward=4), 7).pruning == 7 * 18
    assert ledger.of_pruning(Passes(), None) == NOTHING
    assert ledger.of_pruning(Passes(1), None).pruning is None


@pytest.mark.parametrize('epochs, known', [(None, False), (4, True)])
def test_what_a_given_parent_took_elsewhere_is_named(epochs, known):
    took = ledger.of_given(3 if known else None, epochs)
    assert took.device_s == {} and ledger.ELSEWHERE in took.not_counted
    assert (ledger.UNKNOWN_PARENT in took.not_counted) is not known


def test_a_training_costs_three_passes_for_each_image_and_epoch(tiny_config):
    assert ledger.of_training(tiny_config(epochs=3), macs=5) == 3 * 5 * 24 * 3
