"""``rethink-det benchmark``: what it can measure is what its room has."""

import pytest

from rethink_det.cli import benchmark as benchmark_command


@pytest.mark.parametrize('what', ['everything', 'timing'])
def test_a_benchmark_that_is_none_is_refused_with_those_there_are(command, what):
    done = command('benchmark', what)
    assert done.status == 2
    assert all(name in done.err for name in ('backbone', 'import', 'prune', 'train', 'coco'))


def test_every_benchmark_says_what_it_measures():
    assert all(measure.__doc__ for measure in benchmark_command._BENCHMARKS.values())


def test_its_own_rounds_are_taken_where_none_are_given(command, monkeypatch):
    rounds = []
    monkeypatch.setattr(benchmark_command.start_up, 'against_mmengine', rounds.append)
    assert command('benchmark', 'import').status == 0
    assert command('benchmark', 'import', '--rounds', 2).status == 0
    assert rounds == [30, 2]
