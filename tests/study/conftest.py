"""A study as the version before left it, finished, with the configs that it was made by."""

import shutil
import tarfile
from pathlib import Path

import pytest

LEGACY = Path(__file__).parent / 'legacy'


@pytest.fixture
def older_study(tmp_path, monkeypatch):
    """A folder with ``study.py`` and its ``work``; the data are drawn below the current folder."""
    for config in LEGACY.glob('*.py'):
        shutil.copy(config, tmp_path)
    with tarfile.open(LEGACY / 'work.tar.xz') as archive:
        archive.extractall(tmp_path, filter='data')
    monkeypatch.chdir(tmp_path)
    return tmp_path
