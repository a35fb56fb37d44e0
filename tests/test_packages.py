"""Packages that may be missing: found without importing them, or said what to install."""

import sys
from importlib.metadata import PackageNotFoundError

import pytest

from rethink_det import UserError, packages
from rethink_det.packages import DISTRIBUTIONS, folder_of


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


@pytest.mark.parametrize('package', ['', 'a.b', '../up', 'no_such_package', 'errno'])
def test_what_is_no_package_is_refused(package):
    with pytest.raises(UserError, match='not installed; if the name is mistyped'):
        folder_of(package, 'Config x')
