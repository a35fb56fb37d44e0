"""What the runs of a study had in common, and where they differ."""

from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report.environment import Environment, merged, minute
from rethink_det.report.schema import read

ONE = Environment(
    '2026-01-02T03:04:05+00:00', 'rethink-det study demo', 'abc', 'CPU', '3.11.2', {'torch': '2.9'}
)


def test_what_all_have_is_said_once():
    later = replace(ONE, started='2026-01-03T01:00:00+00:00')
    assert merged([later, ONE]) == {
        'device': 'CPU',
        'python': '3.11.2',
        'commit': 'abc',
        'command': 'rethink-det study demo',
        'torch': '2.9',
        'started': '2026-01-02 03:04 UTC to 2026-01-03 01:00 UTC',
    }


def test_where_they_differ_each_value_has_its_runs():
    other = replace(ONE, device='GPU', commit=None, versions={'torch': '2.10', 'mmdet': '3'})
    told = merged([ONE, other, ONE])
    assert told['device'] == 'CPU (2 runs); GPU (1 run)'
    assert told['commit'] == 'abc (2 runs); none (1 run)'
    assert told['torch'] == '2.10 (1 run); 2.9 (2 runs)'
    assert told['mmdet'] == '3 (1 run); none (2 runs)'


def test_runs_of_before_are_said_to_have_recorded_nothing():
    told = merged([ONE, None, None])
    assert told['python'] == '3.11.2 (1 run); not recorded (2 runs)'
    assert told['started'] == '2026-01-02 03:04 UTC; not recorded (2 runs)'
    assert merged([None, None]) == merged([]) == {}
    assert merged([Environment(python='3.11')])['started'] == 'not recorded'


def test_a_time_of_another_form_is_shown_as_it_is():
    assert minute('yesterday') == 'yesterday'


@pytest.mark.parametrize('data', [{'when': 1}, {'versions': {'torch': 2}}, {'device': 3}, []])
def test_a_damaged_one_is_refused(data):
    with pytest.raises(UserError, match='r.json'):
        read(Environment, data, 'r.json')
