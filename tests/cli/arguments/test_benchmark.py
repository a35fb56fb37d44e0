"""What ``rethink-det benchmark`` may be told."""

import pytest

from rethink_det.cli.arguments.benchmark import BENCHMARKS


@pytest.mark.parametrize('what', BENCHMARKS)
def test_nothing_is_said_of_what_has_a_default_of_its_own(read, what):
    options = read(f'benchmark {what}')
    assert {getattr(options, name) for name in ('rounds', 'network', 'images')} == {None}


@pytest.mark.parametrize('what', BENCHMARKS)
def test_help_tells_those_of_each(command, what):
    told = ''.join(command('benchmark', '--help').out.split())
    for value in BENCHMARKS[what].values():
        shown = ''.join(value) if isinstance(value, tuple) else f'{value:,}'
        assert f'for{what}{shown}' in told


def test_rounds_that_are_no_number_are_refused(misread):
    assert "invalid int value: 'many'" in misread('benchmark train --rounds many')
