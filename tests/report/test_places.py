"""A text says nothing of where this machine keeps its files, and loses nothing else."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report.places import placed


def test_other_folders_of_a_like_name_stay(home):
    root = home / 'work'
    assert placed(f'{root}s/a', root) == '~/works/a'
    assert placed(f'{root}.old', root) == '~/work.old'
    assert placed(f'/mnt{root}/a', root) == f'/mnt{root}/a'
    assert placed({'a': [f'{root}/b', 3, None], 'c': str(root)}, root) == {
        'a': ['b', 3, None],
        'c': '.',
    }


@given(st.text(st.characters(blacklist_characters='/', blacklist_categories=['Cs'])))
def test_a_text_without_paths_stays(text):
    assert placed(text, Path('/some/study')) == text


def test_a_home_that_is_the_root_of_the_machine_is_no_home(monkeypatch):
    monkeypatch.setenv('HOME', '/')
    assert placed('/data/coco', Path('/')) == '/data/coco'
