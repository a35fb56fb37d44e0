"""Measurements one by one: what fails is said, the rest goes on, and a user's end is the end."""

import pytest

from rethink_det.errors import UserError
from rethink_det.study.attempts import Attempts, known, positive


def fail(error):
    def measure():
        raise error

    return measure


def test_what_fails_is_named_with_the_reason_and_the_rest_goes_on(capsys):
    attempt = Attempts()
    assert attempt.unmeasured is None
    assert attempt('params', lambda: 3) == 3
    assert attempt('macs', fail(RuntimeError('out of memory'))) is None
    assert attempt('stages', lambda: (1, 2)) == (1, 2)
    assert attempt('sheet', fail(UserError('a.jpg is no image.'))) is None
    assert attempt('latency_ms', fail(RuntimeError('out of memory'))) is None
    assert attempt.unmeasured == (
        'macs, latency_ms: RuntimeError: out of memory; sheet: a.jpg is no image'
    )
    assert capsys.readouterr().err.count('Traceback') == 3


@pytest.mark.parametrize('error', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_who_ends_the_program_ends_it(error):
    with pytest.raises(error):
        Attempts()('macs', fail(error()))


def test_what_another_measurement_needs_must_be_known():
    assert known(0, 'macs') == 0
    with pytest.raises(UserError, match='macs is not known'):
        known(None, 'macs')


@pytest.mark.parametrize('value', [0, -1, float('inf'), float('nan')])
def test_no_count_and_no_cost_is_that(value):
    assert positive(0.5) == 0.5
    with pytest.raises(UserError, match=f'it came out as {value}'):
        positive(value)
