"""What is different in an adapted config is a value that reads as a line."""

import pytest

from rethink_det.transfer.adapted import Change, difference


@pytest.mark.parametrize(
    'change, line',
    [
        (Change('a.b', [1, 2], [3, 4]), 'a.b: [1, 2] -> [3, 4]'),
        (Change('a', None, 3, 'as asked for'), 'a: none -> 3, as asked for'),
        (
            Change('a', 1, None, 'for X has no such setting'),
            'a: 1 -> none, for X has no such setting',
        ),
        (Change('a', ('red', 'blue'), ('red',)), 'a: red, blue -> red'),
        (Change('a', (), 'red'), 'a: () -> red'),
        (Change('a', False, 0.5), 'a: False -> 0.5'),
    ],
)
def test_a_change_is_a_line(change, line):
    assert str(change) == line
    assert change == Change(change.place, change.before, change.after, change.reason)


def test_only_what_differs_is_a_change():
    assert difference('a', [1], [1]) == []
    assert difference('a', 'BN', 'GN', 'why') == [Change('a', 'BN', 'GN', 'why')]
