"""Two processes of two images train as one process of four, where that can be compared.

What a detector draws at random differs by process, and mmdet normalises losses by what is in a
process: by the anchors and regions that were drawn there. So here nothing is drawn, and every image
counts alike: no flips, every anchor and every proposal is taken, none is ignored, and BatchNorm
keeps its statistics. Then the mean of both processes' losses is the loss of one process, but for
the order of sums in floating point, which convolutions choose by the size of the batch.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from tests.checkpoints import of_arm

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
TOLERANCE = 1e-5  # relative, of sums in float32, which come out a few 1e-7 apart
OF_WEIGHTS = 1e-6  # absolute; measured after four steps: 6e-8

NOTES = '''
import atexit
import json
from pathlib import Path

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from rethink_det.architecture.checkpoint import digest
from rethink_det.training.model import model_of


@HOOKS.register_module(force=True)
class NotesHook(Hook):
    """Writes what each process begins with, and its loss in every step."""

    priority = 'LOWEST'

    def __init__(self, folder):
        self.folder, self.losses = Path(folder), []

    def before_train(self, runner):
        model = model_of(runner)
        architecture = model.backbone.architecture.digest
        self.start = dict(weights=digest(model.state_dict()), architecture=architecture)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append({k: v.item() for k, v in outputs.items() if 'loss' in k})

    def after_train(self, runner):
        content = dict(self.start, losses=self.losses)
        (self.folder / f'rank{get_rank()}.json').write_text(json.dumps(content))
        atexit.register(write_threads, self.folder / f'threads{get_rank()}.txt')


def write_threads(file):
    """The names of this process's threads when it ends."""
    names = [task.read_text() for task in Path('/proc/self/task').glob('*/comm')]
    file.write_text(''.join(names))
'''
COMPARABLE = """
_base_ = 'detector.py'
custom_imports = dict(imports=['rethink_det', 'notes'])
custom_hooks = [dict(type='mmengine.NotesHook', folder={folder!r})]
model = dict(
    backbone=dict(norm_eval=True),
    train_cfg=dict(
        rpn=dict(assigner=dict(neg_iou_thr=0.7), sampler=dict(num=100000, pos_fraction=1.0)),
        rcnn=dict(sampler=dict(num=100000, pos_fraction=1.0, add_gt_as_proposals=False)),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_dataloader = dict(batch_size={batch})
"""
ON_CPU = {'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''}
NO_FLIPS = ('--cfg-options', 'train_dataloader.dataset.pipeline.3.prob=0.0')


@pytest.fixture(scope='module')
def folder(write_configs, tmp_path_factory):
    """A detector's config, and a pruned classifier for its backbone."""
    folder = write_configs(tmp_path_factory.mktemp('same'), detector_epochs=2)
    (folder / 'notes.py').write_text(NOTES)
    architecture = PrunedArchitecture(
        dict(type='mmdet.ResNet', depth=18, base_channels=8, zero_init_residual=False),
        dict(type='rethink_det.LinearHead', num_classes=8),
        (3, 32, 32),
        {'layer1.0.conv1': 4, 'layer2.0.conv2': 11},
    )
    torch.manual_seed(0)
    state = architecture.build_network().state_dict()
    meta = {'architecture': architecture.to_dict()}
    save_checkpoint({'meta': meta, 'state_dict': state}, folder / 'small.pth')
    return folder


@pytest.fixture(scope='module')
def train(folder):
    """Trains in so many processes, four images a step; gives its folder and what it printed."""

    def run(processes: int, name: str, *arguments):
        work = folder / name
        work.mkdir()
        config = folder / f'{name}.py'
        config.write_text(COMPARABLE.format(folder=str(work), batch=4 // processes))
        launch = ['-m', 'torch.distributed.run', '--standalone', f'--nproc_per_node={processes}']
        line = [sys.executable, *(launch if processes > 1 else []), ROOT / 'tools' / 'train.py']
        line += [config, '--work-dir', work, *arguments, *NO_FLIPS]
        line += ['--launcher', 'pytorch'] if processes > 1 else []
        path = os.pathsep.join([str(folder), str(ROOT), os.environ.get('PYTHONPATH', '')])
        done = subprocess.run(
            [str(part) for part in line],
            cwd=ROOT,
            env={**os.environ, **ON_CPU, 'PYTHONPATH': path},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return work, done.stdout

    return run


def notes(work):
    """What the processes wrote, by rank."""
    return [json.loads(file.read_text()) for file in sorted(work.glob('rank*.json'))]


CLASSIFIER = ('--arm', 'prune-c', '--backbone')


@pytest.fixture(scope='module')
def one(train, folder):
    """The folder of one process, and what it printed."""
    return train(1, 'one', *CLASSIFIER, folder / 'small.pth')


@pytest.fixture(scope='module')
def two(train, folder):
    """Those of two."""
    return train(2, 'two', *CLASSIFIER, folder / 'small.pth')


def end(work):
    return load_checkpoint(work / 'epoch_2.pth')['state_dict']


def test_the_mean_of_the_losses_of_two_processes_is_that_of_one(one, two):
    (alone,), both = notes(one[0]), notes(two[0])
    assert len(both) == 2 and len(alone['losses']) == 4
    for single, *parts in zip(alone['losses'], *(n['losses'] for n in both), strict=True):
        assert len(single) == 5  # of RPN and of RoI head, and their sum
        means = {name: sum(part[name] for part in parts) / 2 for name in single}
        assert means == pytest.approx(single, rel=TOLERANCE)
        # What would be missed if each process saw the same images: a difference beyond rounding.
        assert abs(parts[0]['loss'] - parts[1]['loss']) > 10 * TOLERANCE * single['loss']
    assert alone['losses'][3]['loss'] < 0.5 * alone['losses'][0]['loss']


def test_the_weights_are_the_same_in_the_end(one, two, folder):
    mine, theirs = end(one[0]), end(two[0])
    assert mine.keys() == theirs.keys()
    begun = load_checkpoint(folder / 'small.pth')['state_dict']
    name = 'backbone.layer4.1.conv2.weight'
    assert (mine[name] - begun[name]).abs().max() > 1000 * OF_WEIGHTS
    for name, tensor in mine.items():
        torch.testing.assert_close(theirs[name], tensor, rtol=OF_WEIGHTS, atol=OF_WEIGHTS)


def test_there_is_one_result(one, two):
    for work, said in (one, two):
        assert sorted(file.name for file in work.glob('*.pth')) == ['epoch_1.pth', 'epoch_2.pth']
        assert sum(line.startswith('coco/bbox_mAP:') for line in said.splitlines()) == 1


def test_no_thread_of_the_connections_is_left(two):
    """With one, a process may be aborted when it is done."""
    for rank in range(2):
        threads = (two[0] / f'threads{rank}.txt').read_text().split()
        assert threads and not [name for name in threads if 'gloo' in name]


def test_every_process_trains_the_same_pruned_detector_on(one, train, folder, command, monkeypatch):
    monkeypatch.syspath_prepend(folder)  # the config of the training imports the notes
    pruned = folder / 'pruned.pth'
    done = command(
        'prune', one[0] / 'one.py', one[0] / 'epoch_2.pth', '--pruner', 'L1NormPruner',
        '--pruner-options', 'ratios=0.5', '--no-eval', '-o', pruned,
    )  # fmt: skip
    assert done.status == 0, done
    of_arm(pruned, 'pruned', 'unpruned')  # as if its backbone had not been pruned before
    work, said = train(2, 'prune_d', '--backbone', pruned, '--arm', 'prune-d')
    architecture, state = PrunedArchitecture.load(pruned), load_checkpoint(pruned)['state_dict']
    assert architecture.kept('layer1.0.conv1') == 2  # twice a half of eight
    first, second = notes(work)
    for rank in (first, second):
        assert (rank['architecture'], rank['weights']) == (architecture.digest, digest(state))
    assert {n: t.shape for n, t in end(work).items()} == {n: t.shape for n, t in state.items()}
    assert digest(end(work)) != digest(state)
    assert sum(line.startswith('coco/bbox_mAP:') for line in said.splitlines()) == 1
