"""Two gloo processes keep masks, redrawn weights and factors alike, and leave one's replicates."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rethink_det.report.image_replicates import ImageReplicates
from rethink_det.training.launch import evaluate, train
from rethink_det.training.resumable import last_checkpoint

CONFTEST = Path(__file__).resolve().parents[2] / 'conftest.py'
SCRIPT = f"""
import multiprocessing, os, runpy, socket, sys
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from rethink_det.training.launch import evaluate, prepare

runpy.run_path({str(CONFTEST)!r})  # registers the data set


def run(rank, port):
    os.environ.update(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE='2', LOCAL_WORLD_SIZE='2')
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    config, checkpoint = Config.fromfile(sys.argv[1]), sys.argv[3:]
    if checkpoint:
        evaluate(config, *checkpoint)
        return
    runner = Runner.from_cfg(prepare(config))
    runner.train()
    torch.save(runner.model.module.state_dict(), f'{{sys.argv[2]}}/{{rank}}.pth')


with socket.create_server(('127.0.0.1', 0)) as free:
    port = free.getsockname()[1]
both = [multiprocessing.get_context('fork').Process(target=run, args=(r, port)) for r in '01']
for process in both:
    process.start()
for process in both:
    process.join()
sys.exit(any(process.exitcode for process in both))
"""


def in_two_processes(config, folder, *checkpoint):
    """Train a config, or evaluate a checkpoint, in two processes."""
    config.launcher = 'pytorch'
    config.dump(folder / 'config.py')
    (folder / 'script.py').write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, folder / 'script.py', folder / 'config.py', folder, *checkpoint],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize('images', [16, 15])
def test_two_processes_leave_the_replicates_of_one(tiny_config, tmp_path, images):
    """Of 15 images one is evaluated twice, and counted once."""
    trained = tiny_config('trained', epochs=1)
    train(trained)
    checkpoint = last_checkpoint(trained.work_dir)

    def asked(name):
        config = tiny_config(name)
        config.test_dataloader.dataset.count = images
        config.default_hooks = dict(replicates=dict(type='rethink_det.ImageReplicatesHook'))
        return config

    evaluate(asked('one'), checkpoint)
    in_two_processes(asked('two'), tmp_path, checkpoint)
    one, two = (ImageReplicates.read(tmp_path / name) for name in ('one', 'two'))
    assert one == two and one.test_images == images


def test_both_processes_end_with_the_same_network(tiny_config, tmp_path, mask_file, random_masks):
    hooks = [
        dict(type='rethink_det.StructureScaleHook', weight=2.0),
        dict(type='rethink_det.SparsityHook', scale=0.5),
        dict(type='rethink_det.MaskHook', checkpoint=mask_file, redraw=True),
        dict(type='rethink_det.InitialWeightsHook'),
    ]
    # Each process has its own seed: what is random differs unless it is shared.
    config = tiny_config(epochs=1, hooks=hooks)
    config.randomness = dict(seed=1, diff_rank_seed=True)
    in_two_processes(config, tmp_path)
    first, second = (torch.load(tmp_path / f'{rank}.pth', weights_only=True) for rank in '01')
    same = {n for n in first if torch.equal(first[n], second[n])}
    own = {n for n in first if 'running' in n}  # statistics of each process's images
    assert same == set(first) - own
    scales = [tensor for name, tensor in first.items() if name.endswith('structure_scale')]
    assert len(scales) == 3 and all(0 <= scale < 1 for scale in scales)
    assert all(not first[name][~mask].any() for name, mask in random_masks.items())
    assert (tmp_path / 'run' / 'initial.pth').is_file()
