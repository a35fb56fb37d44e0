"""A run that was interrupted and resumed ends exactly like one that was not."""

from pathlib import Path

import pytest
import torch
from mmengine.hooks import CheckpointHook

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import digest, save_checkpoint


@pytest.fixture
def interrupted(monkeypatch):
    """Until undone, every training is interrupted right after its first checkpoint."""
    save = CheckpointHook.after_train_epoch

    def save_and_stop(self, runner):
        save(self, runner)
        raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointHook, 'after_train_epoch', save_and_stop)
    return monkeypatch


@pytest.fixture
def backbone(shapes_root, tmp_path):
    """A checkpoint of a pruned classifier with fresh weights."""
    architecture = PrunedArchitecture(
        dict(type='mmdet.ResNet', depth=18, base_channels=8, zero_init_residual=False),
        dict(type='rethink_det.LinearHead', num_classes=8),
        (3, 32, 32),
        {'layer1.0.conv1': 4, 'layer1.0.conv2': 6, 'layer3.1.conv1': 17},
    )
    torch.manual_seed(0)
    state = architecture.build_network().state_dict()
    path = tmp_path / 'backbone.pth'
    save_checkpoint({'meta': {'architecture': architecture.to_dict()}, 'state_dict': state}, path)
    return path


def metrics(text):
    return [line for line in text.splitlines() if line.startswith(('accuracy/', 'coco/'))]


def resumes_like_unbroken(command, interrupted, tmp_path, *line):
    """Train twice, once interrupted and resumed; compare; return the folder of the latter."""
    unbroken, broken = tmp_path / 'unbroken', tmp_path / 'broken'
    stopped = command('train', *line, '--work-dir', broken)
    assert stopped.status == 130
    assert 'continues' in stopped.err
    assert [path.name for path in broken.glob('epoch_*.pth')] == ['epoch_1.pth']
    assert not metrics(stopped.out)
    interrupted.undo()

    whole = command('train', *line, '--work-dir', unbroken)
    resumed = command('train', *line, '--work-dir', broken, '--resume')
    assert (whole.status, resumed.status) == (0, 0), resumed
    assert metrics(resumed.out) == metrics(whole.out) != []

    ends = [torch.load(work / 'epoch_2.pth', weights_only=True) for work in (unbroken, broken)]
    assert digest(ends[0]['state_dict']) == digest(ends[1]['state_dict'])
    assert ends[0]['meta']['iter'] == ends[1]['meta']['iter']
    first = torch.load(broken / 'epoch_1.pth', weights_only=True)
    assert digest(first['state_dict']) != digest(ends[1]['state_dict'])
    return broken


def test_classification_run(write_configs, command, interrupted, tmp_path):
    config = write_configs(tmp_path) / 'classifier.py'
    resumes_like_unbroken(command, interrupted, tmp_path, config)


@pytest.mark.slow
def test_detection_run_with_a_transferred_backbone(
    write_configs, command, interrupted, backbone, tmp_path
):
    config = write_configs(tmp_path, detector_epochs=2) / 'detector.py'
    line = (config, '--backbone', backbone, '--arm', 'prune-c')
    broken = resumes_like_unbroken(command, interrupted, tmp_path, *line)
    proof = torch.load(broken / 'epoch_2.pth', weights_only=True)['meta']['provenance']
    assert proof['arm'] == 'prune-c'
    logs = [path.read_text() for path in sorted(broken.rglob('*.log'))]
    assert 'tensors of backbone loaded from' in logs[0]
    assert 'resumed, weights are those of the run itself' in logs[1]


def test_resume_from_a_named_checkpoint(write_configs, command, interrupted, tmp_path):
    config = write_configs(tmp_path) / 'classifier.py'
    first, second = tmp_path / 'first', tmp_path / 'second'
    assert command('train', config, '--work-dir', first).status == 130
    interrupted.undo()
    named = ('--resume', first / 'epoch_1.pth')
    assert command('train', config, '--work-dir', second, *named).status == 0
    assert [path.name for path in Path(second).glob('*.pth')] == ['epoch_2.pth']


def test_damaged_checkpoint_is_refused_and_nothing_trained(
    write_configs, command, interrupted, tmp_path
):
    config, work = write_configs(tmp_path) / 'classifier.py', tmp_path / 'work'
    assert command('train', config, '--work-dir', work).status == 130
    interrupted.undo()
    checkpoint = work / 'epoch_1.pth'
    checkpoint.write_bytes(checkpoint.read_bytes()[:-500])
    refused = command('train', config, '--work-dir', work, '--resume')
    assert refused.status == 2
    assert f'{checkpoint} is no checkpoint, or a damaged one' in refused.err
    assert not (work / 'epoch_2.pth').exists()
