"""Errors in a line, for users and for those who look for a fault."""

import pytest

from rethink_det.errors import UserError, in_one_line


@pytest.mark.parametrize(
    'error, line',
    [
        (UserError('a.py: no such key. Set it.'), 'a.py: no such key. Set it'),
        (RuntimeError('out of memory\nTried to allocate'), 'RuntimeError: out of memory'),
        (KeyError('inputs'), "KeyError: 'inputs'"),
        (AssertionError(), 'AssertionError'),
        (UserError(), ''),
    ],
)
def test_the_first_line_and_the_kind_of_what_is_no_message_for_users(error, line):
    assert in_one_line(error) == line


def test_a_mistake_of_the_user_is_a_wrong_value():
    with pytest.raises(ValueError, match='no such key'):
        raise UserError('no such key')
