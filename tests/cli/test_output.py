"""``-o``: nothing is lost by it, and it is said before the work what cannot be written."""

import errno
import json
import os

import pytest
import torch

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.cli.output import check_output
from rethink_det.errors import UserError


@pytest.fixture
def ours(tmp_path):
    """A file of each kind that this package writes."""
    torch.save({'meta': {'provenance': {'arm': 'fine-tune'}}, 'state_dict': {}}, tmp_path / 'a.pth')
    (tmp_path / 'a.onnx').write_bytes(b'...{"format": "rethink_det.architecture", ...')
    (tmp_path / 'a.json').write_text(json.dumps({'accuracy/top1': 50.0, 'bbox_mAP': None}))
    return [tmp_path / f'a.{suffix}' for suffix in ('pth', 'onnx', 'json')]


@pytest.fixture
def theirs(tmp_path):
    """Files of somebody else's, of the same names."""
    (tmp_path / 'their').mkdir()
    torch.save({'state_dict': {'a': torch.ones(2)}}, tmp_path / 'their' / 'b.pth')
    (tmp_path / 'their' / 'b.onnx').write_bytes(b'ONNX of another tool')
    (tmp_path / 'their' / 'b.json').write_text(json.dumps({'images': []}))
    (tmp_path / 'their' / 'deep.json').write_text('[' * 100_000)
    (tmp_path / 'their' / 'thesis.txt').write_text('years of work')
    return sorted((tmp_path / 'their').iterdir())


def test_own_files_may_be_written_again(ours, tmp_path):
    for path in ours:
        check_output(path, (), force=False)
    (tmp_path / 'empty.pth').touch()
    check_output(tmp_path / 'empty.pth', (), force=False)  # as mktemp makes one
    check_output(tmp_path / 'new' / 'folder' / 'x.pth', (None, 'no-such-file'), force=False)
    assert not (tmp_path / 'new').exists()


def test_files_of_somebody_else_need_force(theirs):
    assert len(theirs) == 5
    for path in theirs:
        with pytest.raises(UserError, match='add --force to write over it'):
            check_output(path, (), force=False)
        check_output(path, (), force=True)


@pytest.mark.parametrize('force', [False, True])
def test_no_input_is_written_over_by_whatever_name(ours, tmp_path, force, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soft, hard = tmp_path / 'soft.pth', tmp_path / 'hard.pth'
    soft.symlink_to('a.pth')
    os.link(tmp_path / 'a.pth', hard)
    (tmp_path / 'folder').mkdir()
    for out in ('a.pth', './a.pth', soft, hard, 'folder/../a.pth'):
        with pytest.raises(UserError, match='which is read: name another file'):
            check_output(out, (None, 'nothing', tmp_path / 'a.pth'), force)


@pytest.mark.parametrize('force', [False, True])
def test_what_is_no_file_is_refused(tmp_path, force):
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'link').symlink_to(tmp_path)
    (tmp_path / 'file').touch()
    for out, words in (
        (tmp_path, 'is a folder'),
        (f'{tmp_path}/new/', 'is a folder'),
        (tmp_path / 'link', 'is a folder'),
        ('/dev/null', 'a device or a pipe'),
        ('/dev/full', 'a device or a pipe'),
        (tmp_path / 'pipe', 'a device or a pipe'),
        (tmp_path / 'file' / 'x.pth', 'Not a directory'),
        (tmp_path / ('n' * 300), 'too long'),
        ('/proc/new/x.pth', 'cannot be written'),
    ):
        with pytest.raises(UserError, match=words) as refused:
            check_output(out, (), force)
        assert '\n' not in str(refused.value)


def test_a_link_that_leads_nowhere_yet_may_be_written(tmp_path):
    (tmp_path / 'link.pth').symlink_to(tmp_path / 'later' / 'x.pth')
    check_output(tmp_path / 'link.pth', (), force=False)


RATIO = ('--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5', '--no-eval')


def test_every_command_asks_before_its_work(classifier, trained, refusal, tmp_path, monkeypatch):
    config, taken = classifier(), tmp_path / 'taken.onnx'
    taken.write_text('years of work')
    foreign = tmp_path / 'foreign.pth'
    torch.save(Checkpoint.read(trained).weights, foreign)
    monkeypatch.setattr(torch, 'save', pytest.fail)
    lines = {
        trained: (
            ('prune', config, trained, *RATIO, '-o', trained),
            ('test', config, trained, '--out', trained),
        ),
        foreign: (('convert', foreign, '--base', config, '-o', foreign),),
        taken: (
            ('prune', config, trained, *RATIO, '-o', taken),
            ('convert', foreign, '--base', config, '-o', taken),
            ('export', trained, '--onnx', '-o', taken),
            ('export', taken.with_suffix('.pth'), '--onnx'),
            ('test', config, trained, '--out', taken),
        ),
    }
    for file, commands in lines.items():
        before = file.read_bytes()
        for line in commands:
            message = refusal(*line)
            assert str(file) in message, message
            assert ('which is read' in message) or ('--force' in message), message
            assert file.read_bytes() == before


def test_force_writes_over_what_is_there(classifier, trained, command, tmp_path):
    taken = tmp_path / 'taken.pth'
    taken.write_text('old')
    line = ('prune', classifier(), trained, *RATIO, '-o', taken)
    assert command(*line, '--force').status == 0
    assert Checkpoint.read(taken).architecture is not None
    assert command(*line).status == 0  # it is ours now


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_what_the_system_refuses_is_one_message(
    classifier, trained, refusal, tmp_path, monkeypatch, number
):
    def refuse(self, path):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Checkpoint, 'write', refuse)
    message = refusal('prune', classifier(), trained, *RATIO, '-o', tmp_path / 'out.pth')
    assert f'{tmp_path}/out.pth: {os.strerror(number)} (' in message
