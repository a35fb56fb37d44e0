"""The ledger: whoever takes weights owes all that led to them, whoever takes a shape its price."""

import pytest

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.pruning import build_pruner
from rethink_det.report import RunResult
from rethink_det.study import ledger

PRUNED = RunResult('pruning', 'pruned', 0, total_train_macs=100, shape_train_macs=7)


@pytest.mark.parametrize(
    'stage, arm, owed',
    [
        (CLASSIFICATION, 'fine-tune', 100),
        (CLASSIFICATION, 'lottery', 100),
        (CLASSIFICATION, 'scratch-e', 7),
        (CLASSIFICATION, 'scratch-b', 7),
        (DETECTION, 'prune-c', 100),
        (DETECTION, 'scratch-b', 100),  # the backbone's own training
        (DETECTION, 'prune-d', 100),
        (DETECTION, 'random', 7),
    ],
)
def test_an_arm_owes_what_it_cannot_do_without(stage, arm, owed):
    assert ledger.owed(ARMS.get(stage, arm), PRUNED) == owed


def test_what_has_no_parent_owes_nothing():
    assert ledger.owed(ARMS.reference(CLASSIFICATION), None) == 0


@pytest.mark.parametrize(
    'pruner, price',
    [(dict(type='L1NormPruner', ratios=0.5), 0), (dict(type='MagnitudePruner', ratio=0.5), 100)],
)
def test_a_shape_costs_what_told_it(pruner, price):
    assert ledger.of_shape(build_pruner(pruner), PRUNED) == price


def test_what_is_unknown_stays_unknown():
    assert ledger.total(1, 2) == 3
    assert ledger.total(0, 0) == 0
    assert ledger.total(None, 2) is ledger.total(0, None) is None


def test_a_training_costs_three_passes_for_each_image_and_epoch(tiny_config):
    assert ledger.of_training(tiny_config(epochs=3), macs=5) == 3 * 5 * 24 * 3
