"""Checkpoints of MMEngine's are whole, or not there."""

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

from rethink_det import files
from rethink_det.training import WholeFilesBackend


def test_it_is_the_backend_of_every_local_file(tmp_path):
    assert type(get_file_backend(str(tmp_path))) is WholeFilesBackend
    assert type(get_file_backend(backend_args={'backend': 'local'})) is WholeFilesBackend


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / 'new' / 'epoch_1.pth'
    save_checkpoint({'state_dict': {'a': torch.ones(3)}}, str(path))
    old = path.read_bytes()
    monkeypatch.setattr(files.os, 'fsync', _full)
    with pytest.raises(OSError, match='full'):
        save_checkpoint({'state_dict': {'a': torch.zeros(3)}}, str(path))
    assert path.read_bytes() == old
    assert [file.name for file in path.parent.iterdir()] == ['epoch_1.pth']


def test_texts_are_written_whole_too(tmp_path, monkeypatch):
    WholeFilesBackend().put_text('old', tmp_path / 'a.txt')
    monkeypatch.setattr(files.os, 'replace', _full)
    with pytest.raises(OSError, match='full'):
        WholeFilesBackend().put_text('new', tmp_path / 'a.txt')
    assert (tmp_path / 'a.txt').read_text() == 'old'


def _full(*_):
    raise OSError('full')
