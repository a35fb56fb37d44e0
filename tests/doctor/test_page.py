"""The page says every fact and ability once, and a remedy for what does not work."""

import pytest

from rethink_det.doctor import Ability, Finding, examine, page
from rethink_det.doctor.page import MOST


def test_abilities_stand_together_with_remedies_behind_those_that_are_wanting():
    works, wanting = Ability('train', True, 'unused'), Ability('detect', False, 'install it')
    text = page({'disk': Finding({'free': 1}, (works,)), 'device': Finding({}, (wanting,))})
    assert text.splitlines() == [
        'disk', '  free                   1', 'device', '', 'Works here', '  train', '',
        'Does not work here', '  detect', '    -> install it',
    ]  # fmt: skip


@pytest.mark.parametrize(
    'fact, text',
    [
        (True, 'yes'),
        ([], 'none'),
        ({}, 'none'),
        ({'a': [1, 2], 'b': False}, 'a 1, 2, b no'),
        (list(range(MOST + 1)), f'{MOST + 1} (--json lists them)'),
    ],
)
def test_a_fact_is_a_line_of_text(fact, text):
    assert page({'section': Finding({'name': fact})}).splitlines()[1] == f'  {"name":<22} {text}'


def test_only_what_is_asked_for_is_examined():
    assert list(examine(['device'])) == ['device']


def test_a_check_that_nobody_knows_is_refused():
    with pytest.raises(KeyError, match='weather'):
        examine(['weather'])
