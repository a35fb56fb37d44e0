"""In at most 5 % of studies is anything said that is false, whatever their design."""

from math import sqrt

import pytest

from rethink_det.report.estimate import POWER, detectable
from tests.report.simulated import CASES, DESIGNS, MARGIN, TRUTHS, power_of, share_false

LEVEL = 0.05


def most(studies):
    """What 5 % may look like in so many studies: three standard errors more."""
    return LEVEL + 3 * sqrt(LEVEL * (1 - LEVEL) / studies)


@pytest.mark.parametrize('margin', [None, MARGIN])
@pytest.mark.parametrize('design', ['paired', 'one given parent', 'unpaired, 15 % failed'])
def test_a_sample_of_studies_says_little_that_is_false(design, margin):
    for words in ('no difference', 'mixed'):
        found = share_false(100, 3, DESIGNS[design], TRUTHS[words], margin)
        assert found <= most(100), words


@pytest.mark.slow
@pytest.mark.parametrize('n', [2, 3, 5, 10])
@pytest.mark.parametrize(('words', 'margin'), CASES)
@pytest.mark.parametrize('design', DESIGNS)
def test_at_most_five_per_cent_of_studies_say_anything_false(design, words, margin, n):
    assert share_false(1000, n, DESIGNS[design], TRUTHS[words], margin) <= most(1000)


def test_four_of_five_studies_find_the_detectable_difference():
    promised = detectable(4, LEVEL) / sqrt(5)  # five pairs whose differences vary by 1 point
    assert abs(power_of(300, 5, promised) - POWER) < 4 * sqrt(POWER * (1 - POWER) / 300)


def test_equivalence_is_shown_where_there_is_enough_to_show_it():
    assert power_of(100, 10, 0.0, MARGIN) > 0.9
    assert power_of(100, 10, 0.0, None) == 0  # without a margin nothing is equivalent
