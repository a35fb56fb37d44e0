"""Errors in a line, for users and for those who look for a fault."""

import errno

import pytest

from rethink_det.errors import DivergedError, UserError, in_one_line, naming, refused_by_system


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


@pytest.mark.parametrize(
    'error, line',
    [
        (
            OSError(errno.ENOSPC, 'No space left on device', 'a.pth'),
            'a.pth: No space left on device (free some space, and run the same command again)',
        ),
        (FileNotFoundError(errno.ENOENT, 'No such file', 'a', None, 'b'), 'a: No such file'),
        (OSError(errno.ENOSPC, 'full'), 'full (free some space, and run the same command again)'),
        (OSError('Caught OSError in worker 0.\nTraceback\nOSError: full\n'), 'OSError: full'),
        (OSError(), 'OSError'),
    ],
)
def test_what_the_system_refused_of_which_file_and_what_to_do(error, line):
    assert refused_by_system(error) == line


def test_a_mistake_of_the_user_is_a_wrong_value():
    with pytest.raises(ValueError, match='no such key'):
        raise UserError('no such key')


def test_a_mistake_is_told_with_its_place_once():
    with pytest.raises(DivergedError, match=r'^net.py: loss'), naming('net.py'):
        raise DivergedError('loss')
    with pytest.raises(UserError, match=r'^in net.py: loss'), naming('net.py'):
        raise UserError('in net.py: loss')
    with pytest.raises(UserError, match=r'^net.py:3: loss'), naming('net.py'):
        raise UserError('net.py:3: loss')


@pytest.mark.parametrize(
    'message', ['the loss of net.py', 'net.pyx: loss', 'a/net.py: loss', 'loss']
)
def test_a_message_that_names_the_place_only_by_the_way_is_told_with_it(message):
    with pytest.raises(UserError) as refused, naming('net.py'):
        raise UserError(message)
    assert str(refused.value) == f'net.py: {message}'
