"""The wheel is complete, each dependency earns its line, and the gates run what they say."""

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rethink_det

ROOT = Path(__file__).resolve().parents[1]
LINES = ('onedl', 'openmmlab')
OPTIONAL = ('ray', 'slurm')
"""Extras of clusters."""
NOT_SOURCE = shutil.ignore_patterns('__pycache__', '*.py[cod]', '*.egg-info')

# Where the import name is not the distribution's.
IMPORT_NAMES = {
    'onedl-mmengine': 'mmengine',
    'onedl-mmdetection': 'mmdet',
}
# Imported for us by others: mmdet calls mmcv, mmengine 0.10.7 pkg_resources.
NEEDED_BY_OTHERS = {'onedl-mmcv', 'mmcv-lite', 'setuptools'}


def pyproject() -> dict:
    tomllib = pytest.importorskip('tomllib', reason='Python 3.10 has no TOML reader')
    return tomllib.loads((ROOT / 'pyproject.toml').read_text())


def project_table() -> dict:
    return pyproject()['project']


def requirements(*extras: str) -> list[Requirement]:
    project = project_table()
    lines = list(project['dependencies'])
    for extra in extras:
        lines += project['optional-dependencies'][extra]
    return [Requirement(line) for line in lines]


def import_name(requirement: Requirement) -> str:
    return IMPORT_NAMES.get(requirement.name, requirement.name.replace('-', '_'))


def imported_packages() -> set[str]:
    """Top-level names that rethink_det imports, anywhere in a file."""
    names = set()
    for path in (ROOT / 'rethink_det').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.partition('.')[0])
    return names


def is_installed(name: str) -> bool:
    return bool(list(Distribution.discover(name=name)))


def installed_with(wanted: list[Requirement]) -> set[str]:
    """The distributions that pip brings for these requirements, as installed here."""
    found, queue = set(), list(wanted)
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        applies = requirement.marker is None or requirement.marker.evaluate({'extra': ''})
        if applies and name not in found and is_installed(name):
            found.add(name)
            queue += map(Requirement, distribution(name).requires or ())
    return found


def source_files(folder: str) -> set[str]:
    """Paths below the checkout's folder that belong to the project."""
    return {
        path.relative_to(ROOT / folder).as_posix()
        for path in (ROOT / folder).rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


@pytest.fixture(scope='module')
def built(tmp_path_factory) -> Path:
    """A copy of the sources in which a wheel was built into dist/."""
    copy = tmp_path_factory.mktemp('checkout')
    for name in ('pyproject.toml', 'README.md', 'LICENSE', '.gitignore'):
        shutil.copy(ROOT / name, copy)
    for name in ('rethink_det', 'configs', 'tools'):
        shutil.copytree(ROOT / name, copy / name, ignore=NOT_SOURCE)
    build = subprocess.run(
        [sys.executable, '-m', 'build', '--wheel', '--no-isolation', str(copy)],
        cwd=copy.parent,  # `-m build` must not find a folder of that name
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    return copy


@pytest.fixture(scope='module')
def wheel_names(built) -> set[str]:
    (wheel,) = (built / 'dist').glob('*.whl')
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize('folder', ['configs', 'tools'])
def test_wheel_carries_the_mim_folders(wheel_names, folder):
    expected = {f'rethink_det/.mim/{folder}/{path}' for path in source_files(folder)}
    assert expected, f'{folder}/ is empty'
    assert expected <= wheel_names


def test_wheel_carries_the_whole_package(wheel_names):
    """Data files too: a new kind of them needs a pattern in pyproject.toml."""
    expected = {f'rethink_det/{path}' for path in source_files('rethink_det')}
    assert any('/architecture/published/' in name for name in expected)
    assert expected <= wheel_names


def test_wheel_says_that_the_package_is_typed(wheel_names):
    assert 'rethink_det/py.typed' in wheel_names


def test_wheel_holds_nothing_else(wheel_names):
    top_level = {PurePosixPath(name).parts[0] for name in wheel_names}
    assert {name for name in top_level if not name.endswith('.dist-info')} == {'rethink_det'}
    assert not [name for name in wheel_names if '__pycache__' in name or name.endswith('.pyc')]


def test_build_leaves_the_package_folder_alone(built):
    assert not (built / 'rethink_det' / '.mim').exists()


@pytest.mark.parametrize('extras', [('onedl', *OPTIONAL), ('openmmlab',)], ids='+'.join)
def test_each_dependency_earns_its_line(extras):
    imported = imported_packages()
    idle = {
        requirement.name
        for requirement in requirements(*extras)
        if import_name(requirement) not in imported and requirement.name not in NEEDED_BY_OTHERS
    }
    assert not idle, f'declared but imported nowhere in rethink_det/: {sorted(idle)}'


def test_an_install_without_dev_tools_brings_every_import():
    line = 'onedl' if is_installed('onedl-mmengine') else 'openmmlab'
    brought = installed_with(requirements(line))
    providers = packages_distributions()
    missing = {
        name
        for name in imported_packages()
        - set(sys.stdlib_module_names)
        - {'rethink_det', 'ray', 'submitit', 'supervision', 'mmseg'}
        if not brought & {canonicalize_name(provider) for provider in providers.get(name, ())}
    }
    assert not missing, f'imported but not declared in pyproject.toml: {sorted(missing)}'


@pytest.mark.parametrize('line', LINES)
def test_constraints_pin_every_dependency_within_its_range(line):
    pins = {}
    for text in (ROOT / '.ci' / f'constraints-{line}.txt').read_text().splitlines():
        if text and not text.startswith('#'):
            pin = Requirement(text)
            (version,) = pin.specifier
            assert version.operator == '==', text
            pins[canonicalize_name(pin.name)] = version.version
    for requirement in requirements(line, 'ray', 'export', 'pretrained', 'docs', 'dev'):
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned, f'{requirement.name} has no pin'
        assert requirement.specifier.contains(pinned, prereleases=True), requirement


@pytest.mark.parametrize('gate', ['.ci/run', '.pre-commit-config.yaml', '.github/workflows/ci.yml'])
def test_gates_call_targets_that_exist(gate):
    makefile = (ROOT / 'Makefile').read_text()
    targets = set(re.findall(r'^([a-z-]+):', makefile, re.MULTILINE))
    text = (ROOT / gate).read_text()
    called = set(re.findall(r'\bmake ([a-z-]+)', text)) | set(re.findall(r'target: (\S+)', text))
    assert called
    assert called <= targets


@pytest.mark.parametrize('gate', ['ruff check .', 'ruff format --check .', 'mypy'])
def test_lint_runs_the_gate(gate):
    makefile = (ROOT / 'Makefile').read_text()
    (recipe,) = re.findall(r'^lint:.*\n((?:\t.*\n)+)', makefile, re.MULTILINE)
    assert f'\t.venv/bin/{gate}\n' in recipe
    assert re.search(r'^test: lint\b', makefile, re.MULTILINE)


@pytest.mark.parametrize('rules', ['D', 'ANN', 'C90'])
def test_ruff_checks_docstrings_annotations_and_complexity(rules):
    assert rules in pyproject()['tool']['ruff']['lint']['select']


def test_the_type_checker_makes_no_exception():
    settings = pyproject()['tool']['mypy']
    assert settings['packages'] == ['rethink_det']
    own = [each for each in settings['overrides'] if 'rethink_det' in str(each['module'])]
    assert not own
    assert not any(each.get('ignore_errors') for each in settings['overrides'])
    ignoring = re.compile(r'# (type: ignore|mypy:)')
    told = [
        path for path in (ROOT / 'rethink_det').rglob('*.py') if ignoring.search(path.read_text())
    ]
    assert not told


USER = """
from rethink_det import {names}
{revealed}
StudyResults.read(1)
PrunedArchitecture.load('resnet56').costs()
"""


@pytest.mark.slow
def test_a_type_checker_knows_every_public_name(tmp_path):
    pytest.importorskip('mypy')
    names = [name for name in rethink_det.__all__ if name != '__version__']
    revealed = '\n'.join(f'reveal_type({name})' for name in names)
    file = tmp_path / 'user.py'
    file.write_text(USER.format(names=', '.join(names), revealed=revealed))
    command = [sys.executable, '-m', 'mypy', '--cache-dir', str(tmp_path / 'cache'), str(file)]
    environment = {name: value for name, value in os.environ.items() if name != 'MYPYPATH'}
    checked = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    ).stdout
    types = re.findall(r'Revealed type is "(.*)"', checked)
    assert len(types) == len(names), checked
    assert 'Any' not in types
    assert re.findall(r'\[([a-z-]+)\]$', checked, re.MULTILINE) == ['arg-type', 'attr-defined']


@pytest.mark.skipif(os.name != 'posix' or not shutil.which('make'), reason='needs make')
def test_make_refuses_an_old_python_by_name(tmp_path):
    shutil.copy(ROOT / 'Makefile', tmp_path)
    (tmp_path / '.ci').mkdir()
    for name in ('pyproject.toml', '.ci/constraints-onedl.txt'):
        shutil.copy(ROOT / name, tmp_path / name)
    old = tmp_path / 'old-python'
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.18 && exit 0\nexit 1\n')
    old.chmod(0o755)
    refusal = subprocess.run(
        ['make', 'venv', f'PYTHON={old}'], cwd=tmp_path, capture_output=True, text=True
    )
    assert refusal.returncode != 0
    assert 'needs Python >= 3.10' in refusal.stderr
    assert 'Python 3.8.18' in refusal.stderr
    assert not (tmp_path / '.venv').exists()


def run_on_pythons(root, path, *versions):
    """``.ci/test-pythons`` of a copy of the project in which nothing can be installed."""
    (root / '.ci').mkdir(exist_ok=True)
    for name in ('.ci/test-pythons', 'Makefile'):
        shutil.copy(ROOT / name, root / name)
    environment = {**os.environ, 'PATH': f'{path}:/usr/bin:/bin', 'HOME': str(root)}
    command = ['bash', '.ci/test-pythons', *versions]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


@pytest.mark.skipif(os.name != 'posix' or not shutil.which('make'), reason='needs make')
def test_pythons_that_are_not_there_or_cannot_be_used_are_named(tmp_path):
    for name, told in (('python3.98', '3.98'), ('python3.97', '3.8')):
        (tmp_path / name).write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo {told} && exit 0\nexit 1\n')
        (tmp_path / name).chmod(0o755)
    done = run_on_pythons(tmp_path, tmp_path, '3.97', '3.98', '3.99')
    assert done.stdout.splitlines()[-3:] == [
        'Python 3.97: not installed',
        'Python 3.98: the dependencies do not resolve, see above',
        'Python 3.99: not installed',
    ]
    assert done.returncode == 1
    with pytest.raises(subprocess.CalledProcessError):
        done.check_returncode()
    assert run_on_pythons(tmp_path, tmp_path, '3.99').returncode == 0
