"""``rethink-det benchmark``: it runs, and compares what it says it compares."""

import os
import re
import time
from functools import partial

import pytest
import torch
from mmengine.runner import set_random_seed

from rethink_det import UserError
from rethink_det.architecture.checkpoint import digest
from rethink_det.benchmark.packed import side_by_side
from rethink_det.benchmark.plain_pytorch import elsewhere, plain_loader
from rethink_det.benchmark.runner import (
    FAST,
    FLOAT32,
    PLAIN,
    NoiseImages,
    bare_epoch_of,
    epoch_of,
    in_training,
    training_config,
)
from rethink_det.benchmark.timing import compare, measure, peak_memory, report
from rethink_det.benchmark.train import overhead
from rethink_det.benchmark.workload import MEAN, STD, Workload


@pytest.fixture
def small(cifar, tmp_path):
    """The file of a small architecture."""
    path = tmp_path / 'small.json'
    cifar().save(path)
    return path


@pytest.fixture
def workload(small):
    """That architecture on two batches of noise, the second one smaller."""
    return Workload(str(small), 12, 8)


def test_pruning_is_timed_beside_torch_pruning(command, small):
    done = command('benchmark', 'prune', '--rounds', 1, '--network', small)
    assert done.status == 0, done
    medians = re.findall(r'^  ([\w\- ]+): median [\d.]+ ms$', done.out, re.MULTILINE)
    assert medians == ['ours', 'Torch-Pruning', 'Torch-Pruning in the same layers']
    assert re.search(r'ours / Torch-Pruning: [\d.]+ of medians, .* of 1 pairs', done.out)


@pytest.mark.parametrize(
    'pruner, options', [('L1NormPruner', ['ratios=0.3']), ('ImportancePruner', None)]
)
def test_one_method_is_timed_by_itself(command, small, pruner, options):
    chosen = ['--pruner-options', *options] if options else []
    line = ('benchmark', 'prune', '--network', small, '--pruner', pruner, *chosen, '--images', 5)
    done = command(*line)
    assert done.status == 0, done
    assert f"'ratios': {0.3 if options else 0.5}" in done.out
    assert re.search(r'[\d.]+ s, peak memory \d+ MiB', done.out)


def test_a_backbone_is_timed_beside_a_plain_one(command):
    done = command('benchmark', 'backbone', '--rounds', 1)
    assert done.status == 0 and 'ours / peer: ' in done.out, done


def test_everything_is_called_equally_often_in_both_orders(capsys):
    called = []
    compare({name: lambda name=name: called.append(name) for name in 'ab'}, rounds=2)
    assert called == [*'ab', *'ba', *'ab']
    out = capsys.readouterr().out
    assert re.search(r'a / b: [\d.]+ of medians, median [\d.]+ of 2 pairs', out)


def test_memory_is_told_in_bytes():
    assert 100 * 2**20 < peak_memory() < 2**40, 'what torch alone takes, and no computer has'


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('--rounds', 0), 'at least 1 round'),
        (('--network', 'resnet57'), "No architecture 'resnet57'"),
        (('--pruner', 'NoPruner'), "Unknown pruner 'NoPruner'"),
        (('--pruner', 'L1NormPruner', '--pruner-options', 'ratio=1'), "'ratio'"),
    ],
)
def test_a_benchmark_that_cannot_be_is_refused(refusal, small, arguments, message):
    assert message in refusal('benchmark', 'prune', '--network', small, *arguments)


def test_no_rounds_give_no_median():
    with pytest.raises(UserError, match='at least 1 round'):
        compare({'a': list}, 0)


# -- timing ----------------------------------------------------------------------------------


def test_rates_are_compared_where_images_are_given(capsys):
    report({'ours': [2.0, 2.0, 8.0], 'peer': [4.0, 6.0, 8.0]}, images=12)
    out = capsys.readouterr().out
    assert 'ours: median 2000.00 ms, 6 images/s' in out
    assert 'peer: median 6000.00 ms, 2 images/s' in out
    assert 'ours / peer in images/s: 3.0000 of medians, median 2.0000 of 3 pairs' in out


def test_the_processors_clock_leaves_waiting_out():
    times = measure({'sleep': partial(time.sleep, 0.2)}, 1, time.process_time)
    assert times['sleep'][0] < 0.1


# -- train -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_training_is_timed_beside_a_plain_script_and_a_bare_loop(command, small):
    done = command(
        'benchmark', 'train', '--network', small, '--images', 16, '--batch', 8, '--rounds', 1
    )
    assert done.status == 0, done
    rate = r'ours / peer in images/s: [\d.]+ of medians, median [\d.]+ of 1 pairs'
    assert len(re.findall(rate, done.out)) == 3, done.out  # input, float32, bfloat16
    assert re.search(r'ours / peer with a worker in images/s: ', done.out)
    for loop in ('FastEpochLoop', 'EpochBasedTrainLoop'):
        assert re.search(loop + r': median [\d.]+ ms, bare .* overhead [+-][\d.]+ %', done.out)
    if not torch.cuda.is_available():
        assert '8 runs on one GPU: left out, there is no GPU here' in done.out


@pytest.mark.slow
def test_several_runs_are_timed_at_once(workload, capsys):
    side_by_side(workload, runs=2, epochs=1)
    assert re.search(r'  2: [\d,]+ images/s together\n  2 / 1: [\d.]+', capsys.readouterr().out)


def test_the_bare_loop_does_what_the_runner_does(workload):
    def act(make, runner):
        set_random_seed(1_000_003)  # as EpochSeedHook does in the runner's first epoch
        make(runner)()
        return digest(runner.model.state_dict())

    ends = {
        in_training(training_config(workload, loop, FLOAT32), partial(act, make))
        for loop, make in ((FAST, epoch_of), (PLAIN, epoch_of), (FAST, bare_epoch_of))
    }
    assert len(ends) == 1


def test_overhead_is_told_for_both_loops(workload, capsys):
    overhead(workload, 1)
    assert len(re.findall(r'Loop: median [\d.]+ ms, bare loop', capsys.readouterr().out)) == 2


def test_nothing_remains_of_a_training_that_was_for_timing(workload, tmp_path, capsys):
    config = training_config(workload, FAST, FLOAT32)
    folder, epochs = in_training(config, lambda r: (r.work_dir, r.train_loop.max_epochs))
    assert not os.path.exists(folder) and epochs == 160
    assert capsys.readouterr().out == ''


def test_the_peer_sees_the_same_images_as_torchvision_gives_them(workload):
    labels = torch.cat([labels for _, labels in plain_loader(workload, 0)])
    images, expected = workload.noise()
    assert labels.bincount().equal(expected.bincount())
    assert NoiseImages(**vars(workload)).images.equal(images)
    darkest, brightest = ((value - torch.tensor(MEAN)) / torch.tensor(STD) for value in (0.0, 1.0))
    for batch, _ in plain_loader(workload, 0):
        assert batch.dtype == torch.float32 and batch.shape[1:] == (3, 16, 16)
        assert torch.allclose(batch.amin((0, 2, 3)), darkest)  # black borders
        assert (batch.amax((0, 2, 3)) <= brightest + 1e-5).all()


def test_what_runs_elsewhere_changes_nothing_here_and_its_end_is_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'folder').mkdir()
    with elsewhere(partial, os.chdir, 'folder') as call:
        call()
        assert os.getcwd() == str(tmp_path)
        with pytest.raises(EOFError):
            call()  # there is no folder in the folder


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('--rounds', 0), 'at least 1 round'),
        (('--network', 'resnet57'), "No architecture 'resnet57'"),
        (('--images', 7), 'a batch of 8, 7 images'),
        (('--batch', 0), 'a batch of 0'),
    ],
)
def test_a_training_that_cannot_be_is_refused(refusal, small, arguments, message):
    line = ('benchmark', 'train', '--network', small, '--images', 8, '--batch', 8)
    assert message in refusal(*line, *arguments)
