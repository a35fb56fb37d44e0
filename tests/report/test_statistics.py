"""Means and spreads by arm: equal to hand-made numbers, of networks that are distinct."""

import math
from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import mean_std, summarise
from tests.report.rows import TOP1, classification, row_of


def test_a_row_holds_the_hand_computed_numbers():
    rows = summarise(classification(fine_tune=[92.0, 94.0, 96.0], scratch_b=[93.0, 94.0, 98.0]))
    row = row_of(rows, 'scratch-b')
    assert (row.n, row.mean, row.values) == (3, 95.0, {0: 93.0, 1: 94.0, 2: 98.0})
    assert row.std == pytest.approx(math.sqrt(7))
    assert mean_std(row) == '95.00 ± 2.65'
    assert mean_std(row_of(summarise(classification(lottery=[1.0])), 'lottery')) == '1.00'


def test_a_network_that_stands_there_for_every_seed_is_one():
    runs = [replace(run, digest='aa') for run in classification(unpruned=[94.0, 94.0, 94.0])]
    row = row_of(summarise(runs), 'unpruned')
    assert (row.n, row.mean, row.std) == (1, 94.0, None)
    assert row.values == {0: 94.0, 1: 94.0, 2: 94.0}


def test_runs_of_several_parents_are_told_apart_and_ordered_by_number():
    runs = [
        replace(run, parent=parent, seed=seed)
        for parent in ('b', 'a')
        for seed, run in zip((10, 9), classification(fine_tune=[1.0, 2.0]), strict=True)
    ]
    row = row_of(summarise(runs), 'fine-tune')
    assert list(row.values) == ['a/9', 'a/10', 'b/9', 'b/10'] and row.n == 4


def test_only_completed_and_finite_runs_count():
    runs = classification(fine_tune=[90.0, 91.0, 92.0, math.nan])
    runs[2] = replace(runs[2], status='failed')
    row = row_of(summarise(runs), 'fine-tune')
    assert (row.n, row.mean, row.excluded_seeds) == (2, 90.5, (3,))


def test_rows_come_in_the_fixed_order_of_arms():
    runs = classification(zebra=[1], lottery=[1], scratch_b=[1], unpruned=[1], fine_tune=[1])
    arms = [row.arm for row in summarise(runs)]
    assert arms == ['unpruned', 'fine-tune', 'scratch-b', 'lottery', 'zebra']


def test_two_runs_of_one_seed_are_refused():
    with pytest.raises(UserError, match='classification / net / lottery / seed 0'):
        summarise(classification(lottery=[1.0]) * 2)


def test_two_runs_of_one_seed_from_two_parents_are_two():
    (run,) = classification(lottery=[1.0])
    (row,) = summarise([replace(run, parent='a'), replace(run, parent='b', metrics={TOP1: 3.0})])
    assert (row.n, row.mean, row.values) == (2, 2.0, {'a/0': 1.0, 'b/0': 3.0})
    with pytest.raises(UserError, match='classification / net / lottery / seed a/0'):
        summarise([replace(run, parent='a')] * 2)


def test_an_unknown_stage_is_refused():
    with pytest.raises(
        UserError, match="'tracking' is none of classification, detection, segmentation"
    ):
        summarise([RunResult('tracking', 'random', 0, {'HOTA': 1.0})])
