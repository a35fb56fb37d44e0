"""What a user gives as a number is one, within its bounds."""

import pytest

from rethink_det.bounds import check_count, check_number
from rethink_det.errors import UserError


def test_what_is_within_bounds_comes_back():
    assert check_count('pad', 0, least=0) == 0 and check_count('epochs', 3) == 3
    assert check_number('scale', -0.5) == -0.5 and check_number('scale', 2, least=2) == 2


@pytest.mark.parametrize('value', [0, -1, True, 1.0, float('nan'), '2', None, [1]], ids=repr)
def test_what_counts_nothing_is_refused(value):
    with pytest.raises(UserError, match=r'^epochs must be a whole number of at least 1, got '):
        check_count('epochs', value)


@pytest.mark.parametrize('value', [float('nan'), float('-inf'), True, '2', None, [1.0]], ids=repr)
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(UserError, match='^scale must be a finite number, got '):
        check_number('scale', value)


def test_a_number_below_the_least_is_refused_with_the_least():
    with pytest.raises(UserError, match='scale must be a finite number of at least 0.5, got 0.25'):
        check_number('scale', 0.25, least=0.5)
