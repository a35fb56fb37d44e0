"""Third parties are imported without a word, unless every word is asked for."""

import sys
import warnings
from importlib import import_module

import pytest

from rethink_det.compat import quiet
from tests.fresh_process import fresh

LOUD = """
import sys, warnings
print('cannot import something')
print('on the other stream', file=sys.stderr)
warnings.warn('and a warning')
"""


@pytest.fixture
def loud(tmp_path, monkeypatch):
    """Makes a package that prints when it is imported one of the noisy ones."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(quiet.VERBOSE, raising=False)

    def make(name, code=LOUD):
        (tmp_path / f'{name}.py').write_text(code)
        monkeypatch.setattr(quiet, 'NOISY', (name,))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return make


def test_a_noisy_package_is_imported_without_a_word(loud, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        module = import_module(loud('loud_one'))
    assert (capsys.readouterr().out, capsys.readouterr().err) == ('', '')
    assert module.__spec__.loader is module.__loader__
    assert type(module.__loader__).__module__.startswith(('_frozen', 'importlib'))


def test_all_comes_back_where_it_is_asked_for(loud, capsys, monkeypatch):
    name = loud('loud_two')
    monkeypatch.setenv(quiet.VERBOSE, '1')
    with pytest.warns(UserWarning, match='and a warning'):
        import_module(name)
    assert 'cannot import something' in capsys.readouterr().out


def test_other_packages_are_not_ours(loud, capsys):
    name = loud('loud_three')
    quiet.NOISY = ('another',)
    with pytest.warns(UserWarning, match='and a warning'):
        import_module(name)
    assert 'cannot import something' in capsys.readouterr().out


def test_what_a_noisy_package_raises_is_raised(loud):
    with pytest.raises(ZeroDivisionError):
        import_module(loud('loud_four', 'print(1); 1 / 0'))
    with pytest.raises(ModuleNotFoundError):
        import_module('mmdet.no_such_module')


def test_mmdet_is_imported_without_a_word():
    assert fresh('import rethink_det, mmdet.datasets, mmdet.evaluation').out == ''


def test_there_is_one_finder_however_often_it_is_installed():
    for _ in range(3):
        quiet.install()
    assert sum(isinstance(finder, quiet.QuietFinder) for finder in sys.meta_path) == 1
