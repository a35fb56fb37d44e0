"""Studies that are killed, lose a worker, a node or the disk end in the same numbers."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from rethink_det.report import StudyResults
from rethink_det.report.run_lock import owner_of
from rethink_det.report.verification import verify
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get('RETHINK_DET_KILLS', '26'))
STUDY = """
study = dict(
    seeds=[0],
    classification=dict(
        config='classifier.py',
        pruner=dict(type='L1NormPruner', ratios=0.5),
        arms=['unpruned', 'fine-tune'],
        arm_settings=dict(fine_tune_epochs=1, fine_tune_lr=0.01),
    ),
    detection=[dict(config='detector.py', arms=['prune-c', 'prune-d'])],
)
"""
CLASSIFIERS = """
study = dict(
    seeds=[0, 1],
    classification=dict(
        config='classifier.py',
        pruner=dict(type='L1NormPruner', ratios=0.5),
        arms=['unpruned', 'fine-tune'],
        arm_settings=dict(fine_tune_epochs=1, fine_tune_lr=0.01),
    ),
)
"""


@pytest.fixture(scope='module')
def folder(write_configs, tmp_path_factory):
    folder = write_configs(tmp_path_factory.mktemp('survival'))
    (folder / 'study.py').write_text(STUDY)
    (folder / 'classifiers.py').write_text(CLASSIFIERS)
    return folder


@pytest.fixture(scope='module')
def outcome(folder):
    """What a study comes to that nothing happens to, by its file."""
    known = {}

    def of(name):
        if name not in known:
            work = folder / f'unbroken-{name}'
            assert not execute_study(Study.load(folder / name), work).incomplete
            known[name] = numbers(work)
        return known[name]

    return of


def numbers(work):
    """Weights, metrics and their draws of every finished run."""
    found = [json.loads(path.read_text()) for path in work.rglob('result.json')]
    keys = 'digest', 'metrics', 'replicates', 'identity', 'total_train_macs'
    return {one['key']: {key: one.get(key) for key in keys} for one in found}


@contextmanager
def started(folder, name, work, *arguments, **more):
    """``rethink-det study`` in a session of its own, of which nothing is left afterwards."""
    line = [sys.executable, '-m', 'rethink_det.cli', 'study', folder / name, '--work-dir', work]
    process = subprocess.Popen(
        [str(part) for part in (*line, *arguments)],
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        **more,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def finish(folder, name, work, *arguments):
    """Let the study run to its end; status and what it said."""
    with started(folder, name, work, *arguments) as process:
        said = process.communicate(timeout=1800)[0]
        return process.returncode, said


def until(true, process, seconds=600):
    """Whether something came true before a process ended."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if true():
            return True
        time.sleep(0.005)
    return bool(true())


def is_at_work(work, since):
    """Whether a file of a run was written after a time."""
    files = (path for path in (work / 'runs').rglob('*') if path.is_file())
    return any(path.stat().st_mtime > since for path in files)


@pytest.mark.parametrize('workers', [1, 2])
def test_killed_at_any_moment_it_ends_as_if_nothing_had_happened(
    folder, outcome, tmp_path, workers
):
    drawn, kills, works = random.Random(workers), 0, [tmp_path / '0']
    while kills < KILLS // 2:
        begun = time.time()
        with started(folder, 'study.py', works[-1], '--workers', workers) as process:
            if until(partial(is_at_work, works[-1], begun), process):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(drawn.uniform(0, 3))
            if process.poll() is None:
                kills += 1
                whole = drawn.random() < 0.5  # or the study alone, and its workers follow
                os.killpg(process.pid, signal.SIGKILL) if whole else process.kill()
                process.wait()
            else:
                assert process.returncode == 0, process.stdout.read()
                works.append(tmp_path / str(len(works)))
    for work in works:
        status, said = finish(folder, 'study.py', work, '--workers', workers)
        assert status == 0, said
        assert numbers(work) == outcome('study.py')
        found = verify(work)
        assert not [*found.wrong, *found.unfinished, *found.aside, *found.temporary], found
        assert not list(work.rglob('.*.lock'))


def test_one_killed_worker_is_one_failed_run(folder, outcome, tmp_path):
    work, key = tmp_path / 'work', 'classification/classifier/unpruned/seed1'
    line = '--workers', 2, '--retries', 0
    with started(folder, 'classifiers.py', work, *line) as process:

        def owner():
            found = (owner_of(path) for path in work.glob(f'runs/{key}-*'))
            return next(filter(None, found), None)

        assert until(lambda: owner() is not None, process)
        os.kill(owner().pid, signal.SIGKILL)
        said = process.communicate(timeout=1800)[0]
    assert process.returncode == 1
    assert f'{key}  FAILED: its process died without a word, 1 times' in said
    assert 'Traceback' not in said
    rows = StudyResults.read(work)
    failed = {run.key: run.error for run in rows.incomplete}
    assert f'not started: {key} failed' in failed.values() and 'dmesg' in failed[key]
    unbroken = outcome('classifiers.py')
    mine = numbers(work)
    assert mine == {k: one for k, one in unbroken.items() if k.endswith('seed0')}
    assert finish(folder, 'classifiers.py', work)[0] == 0
    assert numbers(work) == unbroken


@pytest.fixture
def small_disk(tmp_path):
    """A disk that is full soon, and how to make it larger."""
    place = tmp_path / 'disk'
    place.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f'no disk can be mounted here: {done.stderr.strip()}')

    def enlarge():
        subprocess.run(['mount', '-o', 'remount,size=500m', str(place)], check=True)

    yield place, enlarge
    subprocess.run(['umount', '-l', str(place)], check=True)


def test_on_a_full_disk_it_says_so_once_and_goes_on_when_there_is_room(folder, outcome, small_disk):
    place, enlarge = small_disk
    status, said = finish(folder, 'classifiers.py', place / 'work')
    assert status == 2 and 'Traceback' not in said
    assert said.count('No space left on device') == said.count('free some space') == 1
    enlarge()
    status, said = finish(folder, 'classifiers.py', place / 'work')
    assert status == 0, said
    assert numbers(place / 'work') == outcome('classifiers.py')
    assert not verify(place / 'work').temporary


@pytest.fixture
def cluster(monkeypatch):
    """A real Ray cluster of two nodes on this machine, of which the second can be taken away."""
    monkeypatch.setenv('RAY_raylet_start_wait_time_s', '300')  # the machine may be busy
    pytest.importorskip('ray')
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    memory = dict(object_store_memory=80_000_000)
    cluster = Cluster(initialize_head=True, head_node_args=dict(num_cpus=1, **memory))
    second = cluster.add_node(num_cpus=1, **memory)
    cluster.wait_for_nodes()
    yield cluster, second
    cluster.shutdown()


def test_a_ray_node_that_dies_costs_its_runs_a_retry(folder, outcome, cluster, tmp_path):
    nodes, second = cluster
    work = tmp_path / 'work'
    line = '--ray', nodes.address, '--workers', 2, '--retries', 3
    with started(folder, 'classifiers.py', work, *line) as process:

        def both():
            owners = [owner_of(path) for path in work.glob('runs/*/classifier/*/seed*-*')]
            return sum(owner is not None for owner in owners) == 2

        assert until(both, process)
        nodes.remove_node(second, allow_graceful=False)
        said = process.communicate(timeout=1800)[0]
    assert process.returncode == 0, said
    assert 'its process died; the run is tried again' in said
    assert numbers(work) == outcome('classifiers.py')
