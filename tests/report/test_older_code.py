"""Results of another release are named as such."""

from dataclasses import replace

import pytest

from rethink_det import __version__
from rethink_det.report import RunResult, StudyResults
from rethink_det.report.environment import Environment
from rethink_det.report.older_code import older_code_note
from rethink_det.report.page import write_report


def run(seed, release=__version__, **more):
    told = None if release is None else Environment(versions={'rethink-det': release})
    result = RunResult('classification', 'unpruned', seed, {'accuracy/top1': 50.0}, 'net')
    return replace(result, environment=told, **more)


@pytest.mark.parametrize('releases', [[__version__] * 2, [None, None], []])
def test_there_is_nothing_to_say_of_one_release_or_of_none(releases):
    assert older_code_note([run(seed, one) for seed, one in enumerate(releases)]) is None


def test_each_release_is_counted_and_failed_runs_are_not():
    runs = [
        run(0),
        run(1, '0.0.9'),
        run(2, None),
        run(3, '0.0.9'),
        run(4, '0.0.8', status='failed'),
    ]
    note = older_code_note(runs)
    assert '1 of a release that did not say which, 2 of release 0.0.9, of 4 in all' in note
    assert f'written by release {__version__}' in note and '0.0.8' not in note


def test_the_report_says_so(tmp_path):
    runs = [run(0), run(1, '0.0.9')]
    StudyResults('mine', runs, environment={'python': '3.11'}).write(tmp_path)
    write_report(tmp_path)
    for name in ('report.md', 'report.html'):
        assert 'Results of other code: 1 of release 0.0.9, of 2' in (tmp_path / name).read_text()
