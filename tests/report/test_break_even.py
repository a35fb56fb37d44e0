"""The compute at which training from scratch catches up, and how sure that is."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rethink_det.report.break_even import (
    AT_SMALLEST,
    NOT_REACHED,
    REACHED,
    break_even,
    sentence_of,
)
from rethink_det.report.run_result import RunResult
from tests.report.rows import TOP1

COMPUTE = {'scratch-e@0.5': 50.0, 'scratch-e': 100.0, 'scratch-e@2': 200.0}


def study(base=(90.0,), unpruned=400.0, total=True, **points):
    """Runs of budgets ``a``, ``b``, ``c``, a value a seed each."""
    arms = dict(zip(COMPUTE, points.values(), strict=False)) | {'fine-tune': base}
    spent = COMPUTE | {'fine-tune': 440.0}
    runs = [
        RunResult(
            'classification', 'unpruned', seed, {TOP1: 95.0}, 'net', total_train_macs=unpruned
        )
        for seed in range(len(base))
    ]
    for arm, values in arms.items():
        for seed, value in enumerate(values):
            took = spent[arm]
            runs.append(
                RunResult(
                    'classification', arm, seed, {TOP1: value}, 'net', train_macs=took,
                    total_train_macs=took if total else None,
                )
            )  # fmt: skip
    return runs


def test_it_lies_where_the_curve_crosses_in_the_logarithm_of_compute():
    found = break_even(study(a=[88.0], b=[89.0], c=[93.0]), TOP1)
    assert found.outcome == REACHED
    assert found.compute == pytest.approx(100 * 2**0.25)
    assert (found.tried, found.spent, found.unpruned) == ((50, 100, 200), 440, 400)
    assert found.interval is None
    assert sentence_of(found) == (
        'Training from scratch catches up with fine-tuning at 0.30 ×, which took 1.10 × (no '
        'interval without repetitions; tried 0.12 × to 0.50 × in units of the unpruned '
        "network's training compute)."
    )


def test_what_the_budgets_do_not_reach_is_an_outcome_of_its_own():
    never = break_even(study(a=[80.0], b=[85.0], c=[89.9]), TOP1)
    at_once = break_even(study(a=[90.0], b=[89.0], c=[91.0]), TOP1)
    assert (never.outcome, never.compute) == (NOT_REACHED, None)
    assert (at_once.outcome, at_once.compute) == (AT_SMALLEST, None)
    assert 'does not catch up with fine-tuning within the budgets tried' in sentence_of(never)
    assert 'has caught up with fine-tuning at the smallest budget tried' in sentence_of(at_once)


def test_the_interval_is_that_of_students_t_along_the_curve():
    base = np.array([90.0, 90.5, 89.0, 90.2])
    points = dict(
        a=base - [3.0, 2.0, 2.5, 3.2], b=base - [1.0, 0.5, 0.2, 0.9], c=base + [2, 1, 1.5, 2]
    )
    found = break_even(study(base, **points), TOP1)
    low, high = found.interval
    for end, sign in ((low, 1), (high, -1)):  # the upper, then the lower bound is zero there
        share = log(end / 100) / log(2)
        assert 0 < share < 1
        gaps = points['b'] - base + share * (points['c'] - points['b'])
        half = stats.t.ppf(0.975, 3) * np.std(gaps, ddof=1) / sqrt(4)
        assert np.mean(gaps) + sign * half == pytest.approx(0, abs=0.02)
    assert low < found.compute < high
    assert (found.n, found.method) == (4, 'paired t')


def test_ends_that_the_budgets_do_not_reach_are_open():
    base = [90.0, 91.0, 92.0]
    wide = dict(a=[88.0, 92.5, 90.0], b=[89.0, 92.6, 91.5], c=[90.2, 92.7, 91.9])
    assert break_even(study(base, **wide), TOP1).interval == (None, None)
    worse = dict(a=[80.0, 81.1, 82.0], b=[82.0, 83.1, 84.0], c=[84.0, 85.1, 86.0])
    assert break_even(study(base, **worse), TOP1).interval == (200.0, None)
    better = dict(a=[95.0, 96.1, 97.0], b=[96.0, 97.1, 98.0], c=[96.5, 97.5, 98.4])
    found = break_even(study(base, **better), TOP1)
    assert found.interval == (None, 50.0)
    assert '95 % interval below 0.12 × to 0.12 ×' in sentence_of(found)


def test_unknown_compute_of_parents_leaves_that_of_the_training_alone():
    runs = study(a=[88.0], b=[89.0], c=[93.0], total=False)
    found = break_even([replace(run, total_train_macs=None) for run in runs], TOP1)
    assert (found.alone, found.unpruned) == (True, None)
    assert ' at 119 MACs, which took 440 MACs' in sentence_of(found)


@pytest.mark.parametrize('lost', [('scratch-e@0.5', 'scratch-e@2'), ('fine-tune',)])
def test_there_is_none_without_budgets_or_a_baseline(lost):
    runs = study(a=[88.0], b=[89.0], c=[93.0])
    assert break_even([run for run in runs if run.arm not in lost], TOP1) is None


@given(
    st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    st.lists(st.floats(-5, 5), min_size=3, max_size=3),
)
def test_nothing_is_claimed_beyond_the_budgets(one, other):
    values = {key: [90 + a, 90 + b] for key, a, b in zip('abc', one, other, strict=True)}
    found = break_even(study([90.0, 90.0], **values), TOP1)
    ends = [found.compute, *(found.interval or ())]
    assert all(50 <= end <= 200 + 1e-9 for end in ends if end is not None)
    assert (found.compute is not None) == (found.outcome == REACHED)


@pytest.mark.slow
def test_the_interval_holds_in_95_percent_of_studies():
    """Simulated: true difference linear in log compute, parents and seeds vary."""
    random, hits, count, true = np.random.default_rng(0), 0, 200, 90.0
    slope = 2.0
    for _ in range(count):
        base = true + random.normal(0, 1, 5)
        points = {
            key: base + slope * (log(x) / log(2) - log(100) / log(2)) + random.normal(0, 0.5, 5)
            for key, x in zip('abc', COMPUTE.values(), strict=True)
        }
        low, high = break_even(study(base, **points), TOP1).interval
        hits += (low or 0) <= 100 <= (high or 1e9)
    assert hits / count > 0.95 - 3 * sqrt(0.95 * 0.05 / count)
