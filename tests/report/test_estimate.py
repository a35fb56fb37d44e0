"""Intervals, levels and power are scipy's."""

from math import inf, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from rethink_det.report.estimate import (
    POWER,
    Estimate,
    detectable,
    power,
    repetitions_for,
)

values = st.floats(-50, 50)
errors = st.floats(1e-3, 10)
freedoms = st.floats(1, 60) | st.just(inf)
levels = st.floats(1e-4, 0.5)


def student(freedom):
    return stats.norm() if freedom == inf else stats.t(freedom)


@given(values, errors, freedoms, levels)
def test_intervals_and_p_values_are_scipys(value, error, freedom, level):
    estimate = Estimate(value, error, freedom)
    half = student(freedom).isf(level / 2) * error
    assert estimate.interval(level) == pytest.approx((value - half, value + half))
    expected = 2 * student(freedom).sf(abs(value) / error)
    assert estimate.level_different == pytest.approx(expected, abs=1e-12)


@given(values, errors, freedoms, levels)
def test_the_levels_are_those_whose_interval_just_claims(value, error, freedom, level):
    estimate, margin = Estimate(value, error, freedom), 3.0
    low, high = estimate.interval(level)
    gap = abs(estimate.level_different - level)
    assume(gap > 1e-9 and abs(estimate.level_equivalent(margin) - level) > 1e-9)
    assert (estimate.level_different < level) == (low > 0 or high < 0)
    assert (estimate.level_equivalent(margin) < level) == (-margin < low and high < margin)


def test_equivalence_is_two_one_sided_tests():
    gaps, margin = [0.1, -0.2, 0.3, 0.05, -0.1], 0.5
    mean, error = sum(gaps) / 5, stats.sem(gaps)
    above = stats.ttest_1samp(gaps, -margin, alternative='greater').pvalue
    below = stats.ttest_1samp(gaps, margin, alternative='less').pvalue
    found = Estimate(mean, error, 4).level_equivalent(margin)
    assert found / 2 == pytest.approx(max(above, below))


@pytest.mark.parametrize('n', [3, 5, 30])
@pytest.mark.parametrize('effect', [0.3, 0.8, 1.5])
def test_power_is_that_of_the_noncentral_t(n, effect):
    shift, edge = effect * sqrt(n), stats.t.isf(0.025, n - 1)
    expected = stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift)
    assert power(shift, n - 1, 0.05) == pytest.approx(expected, abs=1e-3)


@given(st.floats(1, 40), st.sampled_from([0.05, 0.01, 0.05 / 6]))
def test_the_detectable_difference_is_found_in_four_of_five_studies(freedom, level):
    assert power(detectable(freedom, level), freedom, level) == pytest.approx(POWER, abs=1e-3)


def test_three_seeds_see_four_and_a_half_deviations_and_six_claims_eleven():
    pair = sqrt(2 / 3)  # of a mean of three differences of two seeds' scores, in seed deviations
    assert detectable(2, 0.05) * pair == pytest.approx(4.62, abs=0.01)
    assert detectable(2, 0.05 / 6) * pair == pytest.approx(11.3, abs=0.1)


@given(st.floats(0.1, 3), st.floats(0.1, 3), st.sampled_from([0.05, 0.01]))
def test_so_many_repetitions_are_needed_and_no_fewer(difference, deviation, level):
    count = repetitions_for(difference, deviation, level)
    assert detectable(count - 1, level) * deviation / sqrt(count) <= difference
    if count > 2:
        fewer = count - 1
        assert detectable(fewer - 1, level) * deviation / sqrt(fewer) > difference


def test_a_difference_that_is_too_small_to_be_found_needs_the_most():
    assert repetitions_for(1e-9, 1.0, 0.05, most=500) == 500


def test_without_an_error_nothing_is_claimed():
    estimate = Estimate(1.0)
    assert estimate.interval(0.05) is estimate.level_different is estimate.detectable(0.05) is None
    assert estimate.level_equivalent(2.0) is None
    assert estimate.with_images(0.5) == estimate


@given(errors, freedoms, st.floats(0.01, 5))
def test_images_widen_it_and_add_freedom(error, freedom, images):
    alone = Estimate(0.0, error, freedom, 3, 'paired t')
    both = alone.with_images(images)
    assert both.error == pytest.approx(sqrt(error**2 + images**2))
    assert both.freedom >= freedom and both.method == 'paired t, two-level'
