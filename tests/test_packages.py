"""Packages that may be missing: found without importing them, or said what to install."""

import sys
from importlib import metadata
from importlib.metadata import PackageNotFoundError

import pytest

from rethink_det import UserError, packages
from rethink_det.packages import DISTRIBUTIONS, check_installed, folder_of, refuse_missing


def test_a_package_is_found_and_not_imported(tmp_path, monkeypatch):
    (tmp_path / 'quiet').mkdir()
    (tmp_path / 'quiet' / '__init__.py').write_text('1 / 0\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert folder_of('quiet', 'a test') == tmp_path / 'quiet'
    assert 'quiet' not in sys.modules


@pytest.mark.parametrize('line', ['onedl', 'openmmlab'])
@pytest.mark.parametrize('package', DISTRIBUTIONS)
def test_what_is_missing_is_installed_in_the_line_of_mmengine(line, package, monkeypatch):
    def version(name):
        if line == 'openmmlab':
            raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, 'version', version)
    monkeypatch.setattr(packages, 'find_spec', lambda name: None)
    with pytest.raises(UserError, match=f'Config x needs the package {package!r}') as refused:
        folder_of(package, 'Config x')
    told = str(refused.value)
    assert ('onedl-mm' in told) is (line == 'onedl')
    assert 'pip install' in told and '\n' not in told


def error_of(call, *arguments):
    with pytest.raises(Exception) as raised:
        call(*arguments)
    return raised.value


@pytest.mark.parametrize(
    'error',
    [
        ModuleNotFoundError("No module named 'mmrotate.models'", name='mmrotate.models'),
        ModuleNotFoundError('mmrotate is not installed, please install mmrotate manually'),
        KeyError('mmrotate.Net is not in the mmengine::model registry. Please check'),
        AssertionError('mmengine does not support to load mmrotate config.'),
        error_of(metadata.version, 'mmrotate'),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_comes_of_what_is_missing_says_what_to_install(error):
    outer = RuntimeError('the config cannot be read')
    outer.__cause__ = error
    for one in (error, outer):
        with pytest.raises(UserError, match="Config x needs the package 'mmrotate'.*pip install"):
            refuse_missing(one, 'Config x')


def test_an_error_of_something_else_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / 'one_file.py').write_text('1 / 0\n')
    monkeypatch.syspath_prepend(tmp_path)
    for error in (
        FileNotFoundError('/home/mmseg/configs/unet.py does not exist'),
        ModuleNotFoundError("No module named 'one_file.part'", name='one_file.part'),
        KeyError('mmdet.Unknown is not in the mmengine::model registry'),
        KeyError('mmrotate'),
        ImportError("cannot import name 'x' from 'torch'"),
    ):
        refuse_missing(error, 'Config x')
    check_installed('one_file.part', 'Config x')  # without importing it, which would fail
    with pytest.raises(UserError, match="needs the package 'two_files'"):
        check_installed('two_files.part', 'Config x')


@pytest.mark.parametrize('package', ['', 'a.b', '../up', 'no_such_package', 'errno'])
def test_what_is_no_package_is_refused(package):
    with pytest.raises(UserError, match='not installed; if the name is mistyped'):
        folder_of(package, 'Config x')


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Installs what has a name, without anything in it."""

    def install(*names):
        for name in names:
            folder = tmp_path / f'{name}-2.3.1.dist-info'
            folder.mkdir()
            (folder / 'METADATA').write_text(
                f'Metadata-Version: 2.1\nName: {name}\nVersion: 2.3.1\n'
            )
        monkeypatch.syspath_prepend(tmp_path)
        packages.compiled_mmcv.cache_clear()
        return packages.compiled_mmcv()

    yield install
    packages.compiled_mmcv.cache_clear()


def test_compiled_mmcv_is_recognised_by_the_name_of_its_wheel(wheels):
    found = wheels('onedl_mmcv_cu128_torch2_8', 'onedl-mmcv-cpu-torch2-15', 'onedl_mmcv_docs')
    assert found == {'onedl-mmcv-cu128-torch2-8': '2.3.1', 'onedl-mmcv-cpu-torch2-15': '2.3.1'}
    with pytest.raises(PackageNotFoundError):
        metadata.version('onedl-mmcv-cu126-torch2-7')
