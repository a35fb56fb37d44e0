"""A training goes on from its newest checkpoint, or from the one before if that is damaged."""

import pytest
import torch

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.errors import UserError
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint, newest_readable
from tests.checkpoints import checkpoint


@pytest.fixture
def saved(tmp_path):
    """A folder with checkpoints of three epochs, of which the last is the newest."""
    for epoch in (1, 2, 10):
        checkpoint({'a.weight': torch.full((2,), float(epoch))}).write(
            tmp_path / f'epoch_{epoch}.pth'
        )
    (tmp_path / 'last_checkpoint').write_text('/where/it/was/epoch_10.pth')
    checkpoint({'a.weight': torch.zeros(2)}).write(tmp_path / 'best_epoch_11.pth')
    return tmp_path


def tear(path):
    path.write_bytes(path.read_bytes()[:100])


def test_the_newest_is_taken_if_it_can_be_read(saved, capsys):
    assert newest_readable(saved) == last_checkpoint(saved) == saved / 'epoch_10.pth'
    assert capsys.readouterr().out == ''


def test_a_damaged_one_falls_back_and_is_named(saved, capsys):
    tear(saved / 'epoch_10.pth')
    assert newest_readable(saved) == saved / 'epoch_2.pth'
    assert 'not resumed from epoch_10.pth, but from what is before it' in capsys.readouterr().out
    with pytest.raises(UserError, match='epoch_10.pth is no checkpoint, or a damaged one'):
        Checkpoint.read(saved / 'epoch_10.pth')


def test_one_that_is_gone_falls_back(saved):
    (saved / 'epoch_10.pth').unlink()
    assert newest_readable(saved) == saved / 'epoch_2.pth'


def test_where_none_can_be_read_there_is_none(saved, tmp_path):
    for path in saved.glob('epoch_*.pth'):
        tear(path)
    assert newest_readable(saved) is None and newest_readable(tmp_path / 'gone') is None


def test_a_training_whose_newest_is_torn_ends_as_if_it_were_not(tiny_config):
    train(tiny_config(epochs=3))
    whole = last_checkpoint(tiny_config().work_dir)
    wanted = Checkpoint.read(whole).digest
    tear(whole)
    train(tiny_config(epochs=3, resume=True))
    assert Checkpoint.read(whole).digest == wanted
