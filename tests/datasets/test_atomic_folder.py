"""A folder comes to be whole or not at all."""

import os

import pytest

from rethink_det import UserError
from rethink_det.datasets.atomic_folder import build_folder


def test_a_failed_fill_leaves_nothing(tmp_path):
    def fill(folder):
        (folder / 'half').write_text('')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_folder(tmp_path / 'root', lambda: False, fill)
    assert not list(tmp_path.iterdir())


def test_the_loser_of_a_race_without_locks_takes_the_winners_folder(tmp_path):
    root = tmp_path / 'root'

    def fill(folder):
        (folder / 'mine').write_text('')
        root.mkdir()
        (root / 'done').write_text('')

    build_folder(root, lambda: (root / 'done').exists(), fill)
    assert os.listdir(tmp_path) == ['root'] and os.listdir(root) == ['done']


def test_a_full_disk_is_the_users_to_solve(tmp_path):
    def fill(folder):
        raise OSError(28, 'No space left on device')

    with pytest.raises(UserError, match='No space left on device'):
        build_folder(tmp_path / 'root', lambda: False, fill)
    assert not list(tmp_path.iterdir())
