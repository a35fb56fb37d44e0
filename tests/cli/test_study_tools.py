"""``rethink-det study WORD DIR``: words come first, and everything else is a study as before."""

import json
import os
from dataclasses import replace
from importlib import import_module

import pytest

from rethink_det.cli import _options
from rethink_det.cli.study_tools import TOOLS
from rethink_det.report import StudyResults
from rethink_det.report.run_graph import Asked, PlannedRun, RunGraph
from tests.fresh_process import fresh

ENDS_WELL = """
import sys
from rethink_det.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code in (0, 1), end.code
"""


@pytest.mark.parametrize('word', TOOLS)
def test_summary_is_the_first_line_of_the_tools_own_words(word):
    module = import_module(f'rethink_det.cli.arguments.study_tools.{word}')
    assert module.__doc__.splitlines()[0] == TOOLS[word]


@pytest.mark.parametrize('word', TOOLS)
def test_a_word_has_a_help_of_its_own_and_that_of_study_names_it(command, word):
    done = command('study', word, '--help')
    assert done.status == 0 and f'rethink-det study {word}' in done.out
    assert f'study {word}:' in ' '.join(command('study', '--help').out.split())


def test_a_config_of_that_name_is_still_a_study(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'verify').mkdir()
    done = command('study', 'verify.py', '--dry-run')
    assert done.status == 2 and 'verify.py' in done.err


@pytest.mark.parametrize('word', ['verify', 'status', 'clean'])
def test_what_reads_files_alone_needs_no_torch(word, begun):
    done = fresh(ENDS_WELL, 'study', word, begun)
    assert done.out
    assert not {'torch', 'mmengine', 'mmdet'} & done.packages


def test_verify_ends_by_what_it_finds(command, tmp_path):
    (tmp_path / 'runs').mkdir()
    StudyResults('mine', []).write(tmp_path)
    done = command('study', 'verify', tmp_path)
    assert (done.status, done.out) == (0, '0 finished runs as left; 0 wrong\n')
    (tmp_path / 'results.json').write_text('{')
    done = command('study', 'verify', tmp_path)
    assert done.status == 1 and 'wrong: ' in done.out and 'not valid JSON' in done.out


@pytest.fixture
def begun(tmp_path):
    """The folder of a study with one run, which left a temporary file."""
    (tmp_path / 'runs').mkdir()
    run = PlannedRun('classification/net/unpruned/seed0', 'classification', 'unpruned', 'net')
    RunGraph('mine', (run,)).write(tmp_path)
    left = tmp_path / '.results.json.abcd1234.part'
    left.write_text('{')
    os.utime(left, (0, 0))
    return tmp_path


def test_status_is_for_people_and_for_programs(command, begun):
    assert (
        'mine: 1 to do; how long the rest takes is not known'
        in command('study', 'status', begun).out
    )
    told = json.loads(command('study', 'status', begun, '--json').out)
    assert (told['study'], told['runs'][0]['state'], told['left']) == ('mine', 'to do', None)


def test_clean_tells_first_and_removes_when_it_is_asked_to(command, begun):
    told = command('study', 'clean', begun).out
    assert '1 files, 1 B: 1 left by a writer that was killed' in told
    assert told.endswith('add --yes to do it.\n')
    assert list(begun.glob('.*.part'))
    assert 'add --yes' not in command('study', 'clean', begun, '--yes').out
    assert not list(begun.glob('.*.part'))
    assert command('study', 'clean', begun).out == 'nothing to remove\n'


def test_verify_takes_one_folder():
    with pytest.raises(SystemExit, match='2'):
        _options(['study', 'verify'])
    with pytest.raises(SystemExit, match='2'):
        _options(['study', 'verify', 'one', 'two'])
    with pytest.raises(SystemExit, match='2'):
        _options(['study', 'verify', 'one', '--dry-run'])


@pytest.mark.parametrize('word', TOOLS)
@pytest.mark.parametrize('line, told', [([], 'required'), (['nowhere'], 'no folder of a study')])
def test_what_is_no_study_is_refused(command, word, line, told):
    more = ['some/run'] if line and word == 'why' else []
    done = command('study', word, *line, *more)
    assert done.status == 2 and told in done.err


def test_why_names_the_run_that_was_probably_meant(command, begun, monkeypatch):
    monkeypatch.chdir(begun)
    graph = RunGraph.read(begun)
    replace(graph, asked=Asked('demo')).write(begun)
    done = command('study', 'why', begun, 'classification/resnet18/unpruned/seed0')
    assert done.status == 2
    assert 'did you mean classification/resnet18-w16_shapes/unpruned/seed0?' in done.err
    done = command('study', 'why', begun, 'classification/resnet18-w16_shapes/unpruned/seed0')
    assert done.out.endswith('is to be done: it was never finished, nor begun as it is now\n')
