"""Counts in three digits."""

import pytest

from rethink_det.report.units import count, scale_of


@pytest.mark.parametrize(
    ('value', 'text'),
    [(None, '–'), (0, '0'), (7, '7'), (1234, '1.23 k'), (11.17e6, '11.2 M'), (557e6, '557 M')],
)
def test_counts_have_three_digits(value, text):
    assert count(value) == text
    assert value is None or scale_of(value).factor <= max(value, 1)
