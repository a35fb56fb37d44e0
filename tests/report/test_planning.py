"""What a study is told that it will find."""

import pytest

from rethink_det.report.planning import planned


def test_three_seeds_find_four_and_a_half_deviations_and_of_six_more_claims_over_eleven():
    found = planned(6, 3, margin=False)
    assert found.primary == pytest.approx(4.62, abs=0.01)
    assert found.exploratory == pytest.approx(11.3, abs=0.1)


def test_a_margin_costs_the_others_half_their_level():
    assert planned(6, 5, margin=True).exploratory == planned(12, 5, margin=False).exploratory


def test_more_repetitions_find_less():
    found = [planned(3, n, margin=False).primary for n in (2, 3, 5, 10)]
    assert found == sorted(found, reverse=True)


def test_one_repetition_finds_nothing():
    assert planned(3, 1, margin=False).primary is None
