"""Means, intervals and verdicts: equal to hand-made numbers and scipy, silent where unknown."""

import math
import warnings
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rethink_det.errors import UserError
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import compare, summarise
from tests.report.rows import TOP1, classification, row_of

scores = st.floats(0, 100, allow_nan=False)


def test_a_row_holds_the_hand_computed_numbers():
    rows = summarise(classification(fine_tune=[92.0, 94.0, 96.0], scratch_b=[93.0, 94.0, 98.0]))
    row = row_of(rows, 'scratch-b')
    assert (row.n, row.mean, row.values) == (3, 95.0, {0: 93.0, 1: 94.0, 2: 98.0})
    assert row.std == pytest.approx(math.sqrt(7))
    # differences 1, 0, 2: mean 1, std 1, so 1 ± 4.302653 / sqrt(3)
    assert row.difference.value == pytest.approx(1.0)
    assert row.difference.ci95 == pytest.approx((1 - 2.484138, 1 + 2.484138), abs=1e-5)
    assert row.difference.p_value == pytest.approx(0.225403, abs=1e-5)
    assert row.difference.method == 'paired t'
    assert row_of(rows, 'fine-tune').difference is None


def test_same_seeds_are_paired_as_scipy_does():
    a, b = {0: 3.0, 1: 5.0, 7: 4.5}, {7: 4.0, 0: 2.0, 1: 4.8}
    test = stats.ttest_rel([3.0, 5.0, 4.5], [2.0, 4.8, 4.0])
    found = compare(a, b)
    assert found.ci95 == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert found.p_value == pytest.approx(test.pvalue)


def test_other_seeds_are_compared_by_welch_as_scipy_does():
    a, b = {0: 3.0, 1: 5.0}, {0: 2.0, 1: 4.8, 2: 4.0}
    test = stats.ttest_ind([3.0, 5.0], [2.0, 4.8, 4.0], equal_var=False)
    found = compare(a, b)
    assert found.method == 'Welch t'
    assert found.ci95 == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert found.p_value == pytest.approx(test.pvalue)


@settings(deadline=None)  # scipy's first call is slow
@given(
    st.dictionaries(st.integers(0, 9), scores, min_size=1),
    st.dictionaries(st.integers(0, 9), scores, min_size=1),
)
def test_any_comparison_is_finite_and_antisymmetric(a, b):
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # no division by zero, no lost precision
        there, back = compare(a, b), compare(b, a)
    assert there.value == pytest.approx(-back.value)
    assert (there.ci95 is None) == (back.ci95 is None) == (there.p_value is None)
    if there.ci95 is not None:
        low, high = there.ci95
        assert low <= there.value <= high
        assert (-high, -low) == pytest.approx(back.ci95)
        assert 0 <= there.p_value <= 1


@pytest.mark.parametrize(
    ('a', 'b'),
    [
        ({0: 0.301, 1: 0.304}, {0: 0.298, 1: 0.301}),  # the same difference up to rounding
        ({0: 1.0, 1: 1.0}, {2: 1.0, 3: 1.0}),
        ({0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0}),
        ({0: 5.0}, {0: 4.0}),
        ({0: 5.0, 1: 6.0}, {0: 4.0}),
    ],
)
def test_no_spread_or_one_seed_gives_a_difference_without_interval(a, b):
    found = compare(a, b)
    assert found.ci95 is None and found.p_value is None and found.half_width is None
    assert math.isfinite(found.value)


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
    with pytest.raises(UserError, match="'segmentation' is none of classification, detection"):
        summarise([RunResult('segmentation', 'random', 0, {'mIoU': 1.0})])


def test_a_comparison_with_nothing_is_refused():
    with pytest.raises(ValueError, match='at least one seed'):
        compare({0: 1.0}, {})
    with pytest.raises(ValueError, match='at least one seed'):
        compare({}, {0: 1.0})
