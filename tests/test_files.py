"""Atomic writing."""

import errno
import fcntl
import json
import os
import resource
import time
from contextlib import contextmanager

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import files
from rethink_det.files import (
    is_abandoned,
    plain,
    replacing,
    save_json,
    save_text,
    sweep,
    unfinished,
)


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


@contextmanager
def files_of_at_most(size):
    """The system refuses to make a larger one, as a full disk does in the middle of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    'write',
    [lambda file: file.write(bytes(10**6)), lambda file: torch.save(torch.ones(9999), file)],
)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, write):
    path = tmp_path / 'a.pth'
    save_text('old', path)
    with files_of_at_most(1000), pytest.raises(OSError) as failed, replacing(path) as file:
        write(file)
    assert failed.value.errno == errno.EFBIG  # torch itself says 'unexpected pos 704 vs 598'
    assert [file.name for file in tmp_path.iterdir()] == ['a.pth']
    assert path.read_text() == 'old'


def test_a_link_is_followed(tmp_path):
    (tmp_path / 'store').mkdir()
    link, target = tmp_path / 'link.txt', tmp_path / 'store' / 'real.txt'
    link.symlink_to(target)
    for text in ('new', 'newer'):  # it leads nowhere at first
        save_text(text, link)
        assert link.is_symlink() and target.read_text() == text
    target.chmod(0o600)
    save_text('newest', link)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_device_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    for path in ('/dev/null', tmp_path / 'pipe'):
        with pytest.raises(OSError, match='a device or a pipe'):
            save_text('text', path)
    assert not os.path.isfile('/dev/null')


def test_what_a_killed_writer_left_is_removed_and_a_living_ones_file_is_not(tmp_path):
    path = tmp_path / 'a[1].txt'
    dead, living = (tmp_path / f'.a[1].txt.{name}.part' for name in ('dead', 'living'))
    for file in (dead, living):
        file.touch()
        os.utime(file, (time.time() - 3600,) * 2)
    with living.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with replacing(path) as own:
            save_text('other', tmp_path / 'a[1].txt.other')
            own.write(b'text')
    assert sorted(f.name for f in tmp_path.iterdir()) == [living.name, 'a[1].txt', 'a[1].txt.other']


def test_what_killed_writers_left_anywhere_is_swept_at_once(tmp_path):
    (tmp_path / 'runs').mkdir()
    dead, living = (tmp_path / 'runs' / f'.a.txt.{name}.part' for name in ('dead', 'living'))
    dead.touch()
    living.touch()
    (tmp_path / 'part').touch()
    with living.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep(tmp_path)
        assert unfinished(tmp_path) == [living] and not is_abandoned(living)
    assert is_abandoned(living) and (tmp_path / 'part').exists()
    with pytest.raises(FileNotFoundError):
        is_abandoned(dead)


@pytest.mark.parametrize('name', ['n' * 250, '\N{SNOWMAN}' * 84])
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path, name):
    save_text('text', tmp_path / name)
    assert (tmp_path / name).read_text() == 'text'
    with pytest.raises(OSError, match='too long'):
        save_text('text', tmp_path / (name + 'n' * 9))
