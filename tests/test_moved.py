"""Old import paths give the new modules, for one release, and say so."""

import subprocess
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import rethink_det
from rethink_det.arms import ARMS
from rethink_det.moved import MOVED, PACKAGE, MovedFinder, install
from rethink_det.report.results import StudyResults, write_results

FOLDER = Path(rethink_det.__file__).parent


@pytest.fixture
def forgotten(monkeypatch):
    """As if none of the old paths had been imported."""
    for old in MOVED:
        parent, _, name = f'{PACKAGE}{old}'.rpartition('.')
        monkeypatch.delitem(sys.modules, PACKAGE + old, raising=False)
        if parent in sys.modules:
            monkeypatch.delattr(sys.modules[parent], name, raising=False)


@pytest.mark.parametrize('old', MOVED)
def test_old_path_is_the_new_module_and_warns_once(old, forgotten):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # a parent that moved warns for itself
        import_module(f'{PACKAGE}{old}'.rpartition('.')[0])
    with pytest.warns(DeprecationWarning, match=f'{old} is now {PACKAGE}{MOVED[old]};') as told:
        module = import_module(PACKAGE + old)
        assert import_module(PACKAGE + old) is module
    assert [f'{old} is now' in str(one.message) for one in told].count(
        True
    ) == 1  # libraries warn, too
    new = import_module(PACKAGE + MOVED[old])
    is_package = any(other.startswith(f'{old}.') for other in MOVED)
    assert is_package or module is new
    assert all(getattr(module, name) is getattr(new, name) for name in getattr(new, '__all__', ()))


@pytest.mark.parametrize('old', MOVED)
def test_nothing_stands_under_the_old_path(old):
    path = FOLDER / old.replace('.', '/')
    assert not path.with_suffix('.py').exists()
    assert not (path / '__init__.py').exists()


@pytest.mark.parametrize(
    'statement',
    [
        'from rethink_det.study.results import StudyResults as old',
        'import rethink_det.study.results as module; old = module.StudyResults',
        'import rethink_det.study.results; old = rethink_det.study.results.StudyResults',
        'from rethink_det.study import results; old = results.StudyResults',
    ],
)
def test_a_class_is_the_same_under_both_names(statement, forgotten):
    names = {}
    with pytest.warns(DeprecationWarning, match='rethink_det.report.results'):
        exec(statement, names)
    assert names['old'] is StudyResults


def test_an_old_package_has_the_new_names_and_the_old_submodules(forgotten):
    with pytest.warns(DeprecationWarning, match='rethink_det.convert;'):
        foreign = import_module('rethink_det.architecture.foreign')
    new = import_module('rethink_det.convert')
    assert foreign.load_base is new.load_base
    assert foreign.convert is new.convert_checkpoint
    with pytest.raises(ModuleNotFoundError, match='foreign.known_networks'):
        import_module('rethink_det.architecture.foreign.known_networks')
    with pytest.raises(AttributeError, match='no_such_name'):
        _ = foreign.no_such_name


def test_the_warning_points_at_the_line_that_imports(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text('import os\nfrom rethink_det.study.units import __doc__\n')
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert f'{script}:2: DeprecationWarning: rethink_det.study.units is now' in done.stderr


@pytest.mark.parametrize('name', ['rethink_det.study', 'study.results', 'mmdet.study.results'])
def test_finder_answers_for_no_other_module(name):
    assert MovedFinder().find_spec(name) is None


def test_a_name_that_never_was_is_not_found():
    assert find_spec('rethink_det.study.nothing') is None


def test_installing_is_idempotent():
    before = list(sys.meta_path)
    install()
    assert sys.meta_path == before
    assert sum(isinstance(finder, MovedFinder) for finder in before) == 1


@pytest.mark.parametrize(
    'stage, module, table, get',
    [
        ('detection', 'rethink_det.detection', 'TRANSFER_ARMS', 'get_transfer_arm'),
        ('classification', 'rethink_det.classification.arm_config', 'ARMS', 'get_arm'),
    ],
)
def test_tables_of_arms_that_were_two_are_read_from_the_one(stage, module, table, get):
    home = import_module(module)
    with pytest.warns(DeprecationWarning, match=f'{table} is now rethink_det.arms.ARMS;'):
        old = getattr(home, table)
    assert list(old) == ARMS.names(stage)
    with pytest.warns(DeprecationWarning, match=r'arms\.ARMS\.get;') as told:
        assert getattr(home, get)('unpruned') is old['unpruned'] is ARMS.get(stage, 'unpruned')
    assert told[0].filename == __file__
    with pytest.raises(AttributeError, match='no_such_name'):
        home.no_such_name  # noqa: B018


def test_results_are_read_and_written_by_their_old_names(tmp_path):
    with pytest.warns(DeprecationWarning, match='StudyResults.write;'):
        StudyResults('s').save(tmp_path / 'results.json')
    with pytest.warns(DeprecationWarning, match='StudyResults.read;'):
        assert StudyResults.load(tmp_path) == StudyResults('s')
    with pytest.warns(DeprecationWarning, match='StudyResults.write;'):
        assert write_results(tmp_path / 'other', StudyResults('s')).is_file()
