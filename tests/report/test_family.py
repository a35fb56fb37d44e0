"""The order in which comparisons are judged, and at which level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report.family import LEVEL, Levels, family_levels, first_share

p_values = st.floats(0, 1)


def test_without_a_primary_one_the_levels_are_holms():
    # p 0.01, 0.02, 0.03 of three: 0.05/3, then 0.05/2, then 0.05.
    levels = family_levels({'a': Levels(0.03), 'b': Levels(0.01), 'c': Levels(0.02)})
    assert levels == pytest.approx({'b': 0.05 / 3, 'c': 0.05 / 2, 'a': 0.05})


def test_holm_stops_at_the_first_that_claims_nothing():
    levels = family_levels({'a': Levels(0.03), 'b': Levels(0.01), 'c': Levels(0.04)})
    assert levels == pytest.approx({'b': 0.05 / 3, 'a': 0.05 / 2, 'c': 0.05 / 2})


def test_the_primary_one_has_five_per_cent_and_opens_the_gate():
    claims = {'first': Levels(0.04), 'a': Levels(0.02), 'b': Levels(0.5)}
    assert family_levels(claims, 'first') == pytest.approx({'first': 0.05, 'a': 0.025, 'b': 0.05})


@pytest.mark.parametrize('levels', [Levels(0.06), Levels(0.06, 0.001), Levels(None, 0.01)])
def test_the_gate_stays_closed_unless_the_primary_one_is_different(levels):
    found = family_levels({'first': levels, 'a': Levels(1e-9)}, 'first')
    assert found == {'first': LEVEL, 'a': 0.0}


def test_a_primary_one_that_cannot_be_judged_leaves_all_to_the_others():
    found = family_levels({'first': Levels(), 'a': Levels(0.01), 'b': Levels(0.9)}, 'first')
    assert found['a'] == 0.025


def test_with_a_margin_the_others_share_what_the_primary_one_leaves():
    claims = {'first': Levels(0.01, 0.9), 'a': Levels(0.001, 0.9), 'b': Levels(0.002, 0.9)}
    # Different and not equivalent: done with one claim, the level does not rise (Shaffer).
    found = family_levels(claims, 'first')
    assert found == pytest.approx({'first': 0.05, 'a': 0.0125, 'b': 0.0125})


def test_a_comparison_that_made_both_claims_frees_its_share():
    claims = {'first': Levels(0.01, 0.9), 'a': Levels(0.001, 0.002), 'b': Levels(0.02, 0.9)}
    assert family_levels(claims, 'first')['b'] == pytest.approx(0.025)


@given(st.dictionaries(st.text(), st.builds(Levels, p_values, st.none() | p_values), min_size=1))
def test_no_level_exceeds_five_per_cent_and_no_comparison_is_forgotten(claims):
    for primary in (None, next(iter(claims))):
        levels = family_levels(claims, primary)
        assert levels.keys() == claims.keys()
        assert all(0 <= level <= LEVEL for level in levels.values())


@given(st.lists(p_values, min_size=1, max_size=8))
def test_holm_rejects_what_its_adjusted_p_values_say(ps):
    claims = {i: Levels(p) for i, p in enumerate(ps)}
    levels = family_levels(claims)
    order = sorted(claims, key=lambda i: ps[i])
    adjusted, worst = {}, 0.0
    for rank, i in enumerate(order):
        worst = max(worst, (len(ps) - rank) * ps[i])
        adjusted[i] = worst
    for i, p in enumerate(ps):
        if abs(adjusted[i] - LEVEL) > 1e-9:
            assert (p <= levels[i]) == (adjusted[i] <= LEVEL)


def test_the_first_share_of_the_others():
    assert first_share(5, margin=False, primary=True) == 0.01
    assert first_share(5, margin=True, primary=True) == 0.005
    assert first_share(6, margin=True, primary=False) == pytest.approx(0.05 / 6)
    assert first_share(0, margin=False, primary=True) == LEVEL
