"""``rethink-det study WORD DIR``: words come first, and everything else is a study as before."""

from importlib import import_module

import pytest

from rethink_det.cli.study_tools import TOOLS
from rethink_det.report import StudyResults
from tests.fresh_process import fresh

MAIN = 'import sys; from rethink_det.cli import main; main(sys.argv[1:])'


@pytest.mark.parametrize('word', TOOLS)
def test_summary_is_the_first_line_of_the_tools_own_words(word):
    module = import_module(f'rethink_det.cli.study_tools.{word}')
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


def test_verify_needs_no_torch():
    done = fresh(MAIN, 'study', 'verify', '--help')
    assert 'folder of the study' in done.out
    assert not {'torch', 'mmengine', 'mmdet'} & done.packages


def test_verify_ends_by_what_it_finds(command, tmp_path):
    (tmp_path / 'runs').mkdir()
    StudyResults('mine', []).write(tmp_path)
    done = command('study', 'verify', tmp_path)
    assert (done.status, done.out) == (0, '0 finished runs as left; 0 wrong\n')
    (tmp_path / 'results.json').write_text('{')
    done = command('study', 'verify', tmp_path)
    assert done.status == 1 and 'wrong: ' in done.out and 'not valid JSON' in done.out


@pytest.mark.parametrize('line, told', [([], 'required'), (['nowhere'], 'no folder of a study')])
def test_verify_refuses_what_is_no_study(command, line, told):
    done = command('study', 'verify', *line)
    assert done.status == 2 and told in done.err
