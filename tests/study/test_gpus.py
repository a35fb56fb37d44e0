"""Runs packed on GPUs: which slot is next, what a process sees, and a real study in slots."""

import os
import signal
import time
from collections import Counter
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here, OnRay, processes
from rethink_det.study.gpus import OnGpus, next_slot, visible_gpus
from tests.cifar_files import store
from tests.study import in_workers

NAMES = st.integers(1, 5).flatmap(
    lambda gpus: st.integers(1, 5).map(lambda runs: [*map(str, range(gpus))] * runs)
)
"""The GPUs of all slots: each of 1 to 5 is named 1 to 5 times."""


def on_gpus(names, loads):
    """How many runs each GPU has."""
    total = Counter(dict.fromkeys(names, 0))
    for name, load in zip(names, loads, strict=True):
        total[name] += load
    return total


@given(NAMES, st.data())
def test_no_gpu_has_more_runs_than_allowed_whatever_ends_when(names, data):
    loads = [0] * len(names)
    for ends in data.draw(st.lists(st.booleans(), max_size=40)):
        busy = [i for i, load in enumerate(loads) if load]
        if busy and (ends or len(busy) == len(names)):
            loads[data.draw(st.sampled_from(busy))] = 0
            continue
        chosen = next_slot(names, loads)
        before = on_gpus(names, loads)
        assert loads[chosen] == 0
        assert before[names[chosen]] == min(before.values())
        loads[chosen] = 1
        assert on_gpus(names, loads)[names[chosen]] <= names.count(names[chosen])


@given(NAMES, st.integers(1, 3))
def test_all_slots_are_used_and_all_gpus_before_any_twice(names, rounds):
    loads = [0] * len(names)
    for number in range(rounds * len(names)):
        loads[next_slot(names, loads)] += 1
        total = on_gpus(names, loads).values()
        assert max(total) - min(total) <= 1
        assert max(loads) == number // len(names) + 1
    assert loads == [rounds] * len(names)


@pytest.mark.parametrize(
    'told, number, names',
    [
        (None, 3, ['0', '1', '2']),
        ('2, 5', 2, ['2', '5']),
        ('GPU-4e,MIG-1f', 2, ['GPU-4e', 'MIG-1f']),
        ('1,-1,2', 1, ['1']),  # CUDA reads as far as the first that is none
        ('', 0, []),
        (None, 0, []),
    ],
)
def test_gpus_are_named_as_cuda_was_told(monkeypatch, told, number, names):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: number)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if told is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', told)
    assert visible_gpus() == names


def test_without_a_gpu_it_is_refused_with_the_way_out():
    with pytest.raises(UserError, match='--runs-per-gpu 3 needs a GPU.*--workers N'):
        OnGpus([], 3)


@pytest.fixture
def meeting(tmp_path):
    """An empty folder by which processes wait for each other."""
    (tmp_path / 'met').mkdir()
    return tmp_path / 'met'


@pytest.mark.slow
def test_each_process_is_told_its_gpu_alone_and_a_killed_one_is_replaced(meeting, monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', 'as it was')
    with OnGpus(['7', 'GPU-8e'], 1) as executor:
        work = [executor.submit(in_workers.meet, meeting, 2) for _ in range(2)]
        (first, *_), (second, *_) = met = [future.result() for future in work]
        assert first != second
        assert [told for _, told in met] == ['7', 'GPU-8e']
        assert os.environ['CUDA_VISIBLE_DEVICES'] == 'as it was'
        killed = executor.submit(time.sleep, 100)
        os.kill(first, signal.SIGKILL)
        assert isinstance(killed.exception(60), BrokenExecutor)
        process, told = executor.submit(in_workers.meet, meeting, 2).result()
        assert (process not in (first, second), told) == (True, '7')


@pytest.fixture
def cifar10(tmp_path):
    """A miniature of CIFAR-10, as its authors store it."""
    return store(tmp_path / 'data', 'cifar10-binary')


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')
@pytest.mark.skipif(not Path('/proc/self/maps').exists(), reason='the system has no /proc')
@pytest.mark.parametrize('kind, options', [(processes, [2]), (OnGpus, [['0'], 2])])
def test_processes_share_one_decoded_copy_of_the_images(cifar10, meeting, kind, options):
    with kind(*options) as executor:
        work = [executor.submit(in_workers.mapped_images, cifar10, meeting, 2) for _ in range(2)]
        (first, mapped, total), (second, also, same) = [future.result() for future in work]
    assert first != second
    assert total == same > 0
    assert len(mapped) == 1 and mapped == also
    (file,) = cifar10.glob('decoded/cifar10-train-*/images.npy')
    assert mapped == [str(file.stat().st_ino)]


@pytest.fixture
def study(tiny_config, cifar10, tmp_path):
    """A study whose data worker processes can read, too."""
    config = tiny_config(epochs=1)
    for split in ('train', 'val', 'test'):
        stored = 'train' if split == 'train' else 'test'
        data = dict(type='rethink_det.CIFAR10', data_root=str(cifar10), split=stored)
        config[f'{split}_dataloader'].dataset = data
    config.model.head.num_classes = 10
    config.model.input_shape = (3, 32, 32)
    config.dump(tmp_path / 'net.py')
    parts = dict(
        config='net.py',
        pruner=dict(type='L1NormPruner', ratios=0.5),
        arms=['fine-tune', 'scratch-e'],
        arm_settings=dict(fine_tune_epochs=1),
    )
    (tmp_path / 'study.py').write_text(f'study = dict(seeds=[0, 1], classification={parts!r})')
    return Study.load(tmp_path / 'study.py')


def metrics(results):
    return {(run.arm, run.seed): (run.status, run.metrics) for run in results.runs}


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')
@pytest.mark.cpu  # compares to what the CPU computes
def test_a_study_in_slots_gives_the_same(study, tmp_path):
    results = execute_study(study, tmp_path / 'packed', OnGpus(['0'], 2), workers=2)
    assert not results.incomplete
    assert metrics(results) == metrics(execute_study(study, tmp_path / 'one', Here()))


@pytest.mark.gpu
def test_runs_compute_on_the_gpus_and_each_sees_one(meeting, study, tmp_path):
    gpus = visible_gpus()
    with OnGpus(gpus, 2) as executor:
        work = [
            executor.submit(in_workers.compute_on_gpu, meeting, executor.slots)
            for _ in range(executor.slots)
        ]
        found = [future.result() for future in work]
    assert len({process for process, *_ in found}) == 2 * len(gpus)
    assert {(seen, total) for _, seen, total in found} == {(1, 1000.0)}
    executor = OnGpus(gpus, 2)
    assert not execute_study(study, tmp_path / 'work', executor, executor.slots).incomplete


@pytest.fixture
def cluster(request):
    """Starts a Ray cluster that claims to have so many GPUs; its address."""
    pytest.importorskip('ray')
    from ray.cluster_utils import Cluster

    made = Cluster(True, head_node_args=dict(num_cpus=4, num_gpus=request.param))
    yield made.address
    made.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize('cluster', [2], indirect=True)
def test_ray_packs_runs_on_its_gpus(cluster, meeting):
    with OnRay(cluster, cpus=0.1, runs_per_gpu=2) as executor:
        assert executor.slots == 4
        work = [executor.submit(in_workers.meet, str(meeting), 4) for _ in range(4)]
        met = [future.result() for future in work]
    assert len({process for process, _ in met}) == 4
    assert Counter(told for _, told in met) == {'0': 2, '1': 2}


@pytest.mark.slow
@pytest.mark.parametrize('cluster', [0], indirect=True)
def test_ray_without_gpus_is_refused_and_left(cluster):
    with pytest.raises(UserError, match='--runs-per-gpu 2 needs a GPU, and the Ray cluster at'):
        OnRay(cluster, runs_per_gpu=2)
    with OnRay(cluster) as executor:  # the refusal left no connection behind
        assert executor.slots == 1
