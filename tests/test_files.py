"""Atomic writing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import files
from rethink_det.files import plain, save_json, save_text


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / 'new' / 'a.txt'
    save_text('old', path)

    def broken(*_):
        raise OSError('disk full')

    monkeypatch.setattr(files.os, 'replace', broken)
    with pytest.raises(OSError, match='disk full'):
        save_text('new', path)
    assert [file.name for file in path.parent.iterdir()] == ['a.txt']
    assert path.read_text() == 'old'


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    (tmp_path / 'taken').mkdir()
    with pytest.raises(OSError):
        save_text('text', tmp_path / 'taken')
    assert [entry.name for entry in tmp_path.iterdir()] == ['taken']


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    )
)
def test_plain_values_survive_strict_json(value):
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text) == plain(value)


def test_save_json_writes_no_nan(tmp_path):
    save_json({'a': float('nan'), 'b': (1, 2)}, tmp_path / 'x.json')
    assert json.loads((tmp_path / 'x.json').read_text()) == {'a': None, 'b': [1, 2]}
