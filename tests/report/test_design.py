"""Two arms are compared as the design of their study allows, and equal scipy where it can."""

import warnings
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rethink_det.report.design import (
    METHOD,
    NETWORKS,
    PARENT,
    Score,
    compare,
    distinct,
    sign_flips,
)

numbers = st.floats(0, 100)


def scores(*values, parents=None, start=0, **more):
    parents = parents or [None] * len(values)
    return [
        Score(start + i, value, parent, **more)
        for i, (value, parent) in enumerate(zip(values, parents, strict=True))
    ]


def test_common_seeds_are_paired_as_scipy_does():
    found = compare(scores(3.0, 5.0, 4.5), scores(2.0, 4.8, 4.0))
    test = stats.ttest_rel([3.0, 5.0, 4.5], [2.0, 4.8, 4.0])
    assert found.estimate.interval(0.05) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert found.estimate.level_different == pytest.approx(test.pvalue)
    assert (found.estimate.method, found.estimate.n, found.scope) == ('paired t', 3, METHOD)


def test_hand_worked_pairs():
    found = compare(scores(93.0, 94.0, 98.0), scores(92.0, 94.0, 96.0))
    # differences 1, 0, 2: mean 1, std 1, so 1 ± 4.302653 / sqrt(3)
    assert found.estimate.value == 1
    expected = (1 - 2.484138, 1 + 2.484138)
    assert found.estimate.interval(0.05) == pytest.approx(expected, abs=1e-5)
    assert found.gaps == (1.0, 0.0, 2.0) and found.deviation == 1


def test_other_seeds_are_compared_by_welch_as_scipy_does():
    found = compare(scores(3.0, 5.0), scores(2.0, 4.8, 4.0, start=7))
    test = stats.ttest_ind([3.0, 5.0], [2.0, 4.8, 4.0], equal_var=False)
    assert found.estimate.method == 'Welch t'
    assert found.estimate.interval(0.05) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert found.estimate.level_different == pytest.approx(test.pvalue)
    assert found.estimate.freedom == pytest.approx(test.df)


def test_a_failed_seed_costs_its_pair_and_not_the_pairing():
    luck = np.array([-8.0, 4.0, 5.0, -1.0])
    arm = scores(*(50 + luck + [0.5, 0.4, 0.6, 0.5]))
    found = compare(arm[1:], scores(*(50 + luck)))
    assert found.estimate.value == pytest.approx(0.5)  # and not what the lost luck makes of it
    assert found.dropped == (0,) and found.estimate.n == 3
    assert found.estimate.level_different < 0.05


def test_runs_of_a_parent_are_averaged_and_parents_are_the_repetitions():
    parents = ['a', 'a', 'b', 'b', 'c', 'c']
    arm = scores(1.0, 3.0, 4.0, 6.0, 7.0, 9.0, parents=parents)
    base = scores(0.0, 2.0, 4.0, 4.0, 6.0, 8.0, parents=parents)
    found = compare(arm, base)
    test = stats.ttest_rel([2.0, 5.0, 8.0], [1.0, 4.0, 7.0])
    assert np.isnan(test.pvalue) or found.estimate.error is None  # no spread: 1, 1, 1
    assert found.estimate == type(found.estimate)(1.0, n=3)
    other = compare(arm[:-1] + [Score(5, 11.0, 'c')], base)
    expected = stats.ttest_rel([2.0, 5.0, 9.0], [1.0, 4.0, 7.0])
    assert other.estimate.level_different == pytest.approx(expected.pvalue)
    assert other.estimate.n == 3 and other.scope == METHOD


def test_one_parent_makes_a_claim_about_it():
    shared = ['a', 'a', 'a']
    found = compare(scores(3, 5, 4.5, parents=shared), scores(2, 4.8, 4, parents=shared))
    assert found.scope == PARENT and found.estimate.n == 3


def test_a_given_network_has_no_spread_however_often_it_stands_there():
    given_ = [Score(seed, 90.0, 'a', network='a') for seed in range(3)]
    found = compare(given_, scores(88.0, 89.0, 88.5, parents=['a'] * 3))
    assert found.scope == PARENT and found.estimate.error is None and found.estimate.n == 1
    assert found.estimate.value == pytest.approx(1.5)
    assert len(distinct(given_)) == 1


def test_the_same_digest_with_another_score_is_another_network():
    assert len(distinct([Score(0, 1.0, network='a'), Score(1, 2.0, network='a')])) == 2
    assert len(distinct([Score(0, 1.0), Score(1, 1.0)])) == 2


def test_one_network_each_is_told_apart_by_the_test_images():
    rng = np.random.default_rng(0)
    draws = rng.normal(50, 2, 1000)
    gaps = rng.normal(1.0, 0.3, 1000)
    ours = [Score(0, 51.0, draws=tuple(draws + gaps), images='x', n_images=400)]
    theirs = [Score(0, 50.0, draws=tuple(draws), images='x', n_images=400)]
    found = compare(ours, theirs)
    assert found.scope == NETWORKS and found.estimate.method == 'bootstrap over images'
    assert found.estimate.error == pytest.approx(gaps.std(ddof=1))
    assert found.estimate.freedom == 399
    assert found.estimate.level_different < 0.01


@pytest.mark.parametrize('other', [dict(images='y'), dict(draws=(1.0, 2.0)), dict(draws=())])
def test_draws_of_other_images_are_no_pairs(other):
    ours = Score(0, 51.0, draws=(50.0, 52.0, 51.0), images='x')
    theirs = Score(0, 50.0, **{'draws': (49.0, 50.0, 51.0), 'images': 'x', **other})
    found = compare([ours], [theirs])
    assert found.scope == NETWORKS and found.estimate.error is None
    assert found.estimate.freedom == inf


def test_seeds_and_images_make_a_two_level_interval():
    rng = np.random.default_rng(1)
    shared = rng.normal(0, 1.0, 200)

    def side(values, scale):
        return [
            Score(i, v, draws=tuple(v + scale * shared), images='x') for i, v in enumerate(values)
        ]

    ours, theirs = side([3.0, 5.0, 4.5], 1.0), side([2.0, 4.8, 4.0], 0.5)
    alone = compare(scores(3.0, 5.0, 4.5), scores(2.0, 4.8, 4.0)).estimate
    found = compare(ours, theirs).estimate
    images = (0.5 * shared).std(ddof=1)
    assert found.error == pytest.approx(np.hypot(alone.error, images))
    assert found.method == 'paired t, two-level'


def test_runs_without_parents_stand_with_their_seeds():
    arm = scores(3.0, 5.0, 4.5, parents=['a', 'b', 'c'])
    base = scores(2.0, 4.8, 4.0)
    assert compare(arm, base).estimate.method == 'paired t'


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, 9), numbers, min_size=1),
    st.dictionaries(st.integers(0, 9), numbers, min_size=1),
    st.sampled_from([0, 1, 3, 10]),
)
def test_any_comparison_is_finite_and_antisymmetric(a, b, parents):
    def side(values):
        return [
            Score(seed, value, f'p{seed % parents}' if parents else None)
            for seed, value in values.items()
        ]

    with warnings.catch_warnings():
        warnings.simplefilter('error')  # no division by zero, no lost precision
        there, back = compare(side(a), side(b)), compare(side(b), side(a))
    assert there.estimate.value == pytest.approx(-back.estimate.value)
    assert (there.estimate.error is None) == (back.estimate.error is None)
    assert (there.scope, there.dropped) == (back.scope, back.dropped)
    if there.estimate.error is not None:
        low, high = there.estimate.interval(0.05)
        assert low <= there.estimate.value <= high
        assert (-high, -low) == pytest.approx(back.estimate.interval(0.05))


@pytest.mark.parametrize(
    ('a', 'b'),
    [
        (scores(0.301, 0.304), scores(0.298, 0.301)),  # the same difference up to rounding
        (scores(1.0, 1.0), scores(1.0, 1.0, start=2)),
        (scores(0.0, 0.0), scores(0.0, 0.0)),
        (scores(5.0), scores(4.0)),
        (scores(5.0, 6.0), scores(4.0)),
    ],
)
def test_no_spread_or_one_run_gives_a_difference_without_error(a, b):
    assert compare(a, b).estimate.error is None


@given(st.lists(st.floats(-5, 5).filter(lambda x: abs(x) > 0.01), min_size=2, max_size=8))
def test_sign_flips_never_fall_below_two_patterns(gaps):
    p = sign_flips(gaps)
    assert 2 / 2 ** len(gaps) - 1e-12 <= p <= 1


def test_sign_flips_are_worked_by_hand():
    assert sign_flips([1.0, 2.0, 3.0]) == 2 / 8
    assert sign_flips([1.0, -2.0, 3.0]) == 6 / 8  # sums 6, 4, 2, 0 and their opposites: six >= 2
    assert sign_flips([1.0] * 5) > 0.05 > sign_flips([1.0] * 6)


def test_a_comparison_with_nothing_is_refused():
    with pytest.raises(ValueError, match='at least one run'):
        compare(scores(1.0), [])
    with pytest.raises(ValueError, match='at least one run'):
        compare([], scores(1.0))


# -- a network that was pruned and tuned elsewhere -------------------------------------------


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=9, unique=True), numbers)
def test_repetitions_against_one_network_are_a_one_sample_test_as_scipy_has_it(each, one):
    values = [value / 10 for value in each]
    network = [Score(0, one, 'given', 'given', given=True)]
    trained = scores(*values, parents=['given'] * len(values))
    found = compare(trained, network)
    test = stats.ttest_1samp(values, one)
    assert (found.scope, found.estimate.method, found.estimate.n) == (
        PARENT,
        'one-sample t',
        len(values),
    )
    assert found.estimate.interval(0.05) == pytest.approx(
        tuple(bound - one for bound in test.confidence_interval(0.95)), abs=1e-9
    )
    assert found.estimate.level_different == pytest.approx(test.pvalue, abs=1e-9)
    back = compare(network, trained).estimate
    assert (back.value, back.error) == pytest.approx((-found.estimate.value, found.estimate.error))


def test_one_training_against_one_network_says_nothing_without_images():
    network = [Score(0, 90.0, 'given', 'given', given=True)]
    found = compare(scores(91.0, parents=['given']), network)
    assert (found.scope, found.estimate.error, found.gaps) == (NETWORKS, None, ())


def test_the_images_widen_what_is_said_of_one_network():
    draws = tuple(np.random.default_rng(0).normal(size=50))
    network = [Score(0, 90.0, 'given', 'given', tuple(reversed(draws)), 'i', 50, given=True)]
    trained = [Score(n, 91.0 + n, 'given', str(n), draws, 'i', 50) for n in range(3)]
    bare = [Score(n, 91.0 + n, 'given', str(n)) for n in range(3)]
    wide, narrow = compare(trained, network).estimate, compare(bare, network).estimate
    assert wide.error > narrow.error and wide.method == 'one-sample t, two-level'
