"""Two gloo processes train a detector: one set of checkpoints, metrics said once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def torchrun(*arguments):
    """``torchrun`` on the CPU with two processes of one thread each."""
    line = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    line += [ROOT / 'tools' / 'train.py', *arguments, '--launcher', 'pytorch']
    return subprocess.run(
        [str(part) for part in line],
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def architecture(tmp_path):
    """A pruned ResNet-18 as a JSON file."""
    from rethink_det.architecture import PrunedArchitecture

    PrunedArchitecture(
        dict(type='mmdet.ResNet', depth=18, base_channels=8, zero_init_residual=False),
        dict(type='rethink_det.LinearHead', num_classes=8),
        (3, 32, 32),
        {'layer1.0.conv1': 4, 'layer2.0.conv2': 11},
    ).save(tmp_path / 'pruned.json')
    return tmp_path / 'pruned.json'


@pytest.mark.slow
def test_two_processes_leave_one_set_of_checkpoints(write_configs, architecture, tmp_path):
    config, work = write_configs(tmp_path) / 'detector.py', tmp_path / 'work'
    done = torchrun(
        config, '--work-dir', work, '--backbone', architecture, '--arm', 'random',
        '--cfg-options', 'train_dataloader.batch_size=2',
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path.name for path in work.rglob('*.pth')] == ['epoch_1.pth']
    lines = done.stdout.splitlines()
    assert sum(line.startswith('coco/bbox_mAP:') for line in lines) == 1

    checkpoint = torch.load(work / 'epoch_1.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 2  # 8 images, 2 processes of 2 each
    assert checkpoint['meta']['provenance']['arm'] == 'random'
    assert not any(name.startswith('module.') for name in checkpoint['state_dict'])
    assert checkpoint['state_dict']['backbone.layer1.0.conv1.weight'].shape[0] == 4
    assert checkpoint['state_dict']['neck.lateral_convs.1.conv.weight'].shape[1] == 11


@pytest.mark.slow
def test_mistake_of_the_user_ends_every_process(write_configs, tmp_path):
    config, work = write_configs(tmp_path) / 'detector.py', tmp_path / 'work'
    done = torchrun(config, '--work-dir', work, '--cfg-options', 'train_cfg.max_epoch=1')
    assert done.returncode != 0
    assert 'error: ' in done.stderr
    assert "Did you mean 'max_epochs'?" in done.stderr
    assert not work.exists()
