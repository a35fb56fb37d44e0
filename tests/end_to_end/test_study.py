"""A whole study in miniature: every run is done once, whatever happens in between."""

import json
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import digest
from rethink_det.errors import UserError
from rethink_det.report import StudyResults
from rethink_det.report.paired_bootstrap import paired_bootstrap
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here

CLASSIFICATION = ('unpruned', 'fine-tune', 'scratch-b')
DETECTION = ('prune-c', 'random')


def results(work):
    """Rows of ``results.json`` by stage, arm and seed."""
    return {(run.stage, run.arm, run.seed): run for run in StudyResults.read(work).runs}


def digests(work):
    """Digest of the weights that every run ended with."""
    found = [json.loads(path.read_text()) for path in work.rglob('result.json')]
    return {result['key']: result['digest'] for result in found}


def times(work):
    """When each file of the runs was last written."""
    files = [path for path in (work / 'runs').rglob('*') if path.is_file()]
    return {path.relative_to(work): path.stat().st_mtime_ns for path in files}


@pytest.fixture(scope='module')
def folder(write_configs, tmp_path_factory):
    return write_configs(tmp_path_factory.mktemp('study'))


@pytest.fixture(scope='module')
def finished(folder, command):
    """The study's work folder after ``rethink-det study``."""
    done = command('study', folder / 'study.py', '--work-dir', folder / 'work')
    assert done.status == 0, done
    return folder / 'work'


@pytest.fixture(scope='module')
def start(folder):
    """Starts the study, or another, without writing the report."""

    def run(work, options=None, study=folder / 'study.py'):
        return execute_study(Study.load(study, options), work, Here())

    return run


@pytest.fixture
def copy(finished, tmp_path):
    """The finished study in another folder, whose name is not ASCII."""
    return Path(shutil.copytree(finished, tmp_path / 'étude "2"'))


def test_every_arm_and_seed_has_a_result(finished):
    found = results(finished)
    wanted = {('classification', arm, seed) for arm in CLASSIFICATION for seed in (0, 1)}
    assert set(found) == wanted | {('detection', arm, 0) for arm in DETECTION}
    for (stage, _, _), run in found.items():
        assert run.status == 'completed'
        assert run.params > 0
        assert run.macs > 0
        assert run.epochs > 0
        metric = 'accuracy/top1' if stage == 'classification' else 'coco/bbox_mAP'
        assert 0 <= run.metrics[metric] <= 100
        assert run.checkpoint_path.is_file()


def test_arms_spend_what_they_say(finished):
    found = results(finished)
    epochs = {arm: found['classification', arm, 0].epochs for arm in CLASSIFICATION}
    macs = {arm: found['classification', arm, 0].macs for arm in CLASSIFICATION}
    assert macs['fine-tune'] == macs['scratch-b'] < macs['unpruned']
    assert (epochs['unpruned'], epochs['fine-tune']) == (2, 1)
    assert epochs['scratch-b'] == round(2 * min(2, macs['unpruned'] / macs['scratch-b']))
    assert found['detection', 'prune-c', 0].params == found['detection', 'random', 0].params


def test_checkpoints_describe_themselves(finished):
    for (stage, arm, seed), run in results(finished).items():
        checkpoint = torch.load(run.checkpoint_path, weights_only=True)
        provenance = checkpoint['meta']['provenance']
        assert provenance['seed'] == seed
        assert provenance['arm'] == arm
        shape = PrunedArchitecture.load(run.checkpoint_path)
        assert bool(shape.channels) == (arm != 'unpruned')
        backbone = shape.build().state_dict()
        assert all(
            checkpoint['state_dict'][f'backbone.{name}'].shape == tensor.shape
            for name, tensor in backbone.items()
        ), stage


def test_transfer_is_proven_by_the_parents_digest(finished):
    found = results(finished)
    parent, child = found['classification', 'fine-tune', 0], found['detection', 'prune-c', 0]
    state = torch.load(parent.checkpoint_path, weights_only=True)['state_dict']
    backbone = {
        name.removeprefix('backbone.'): tensor
        for name, tensor in state.items()
        if name.startswith('backbone.')
    }
    proof = torch.load(child.checkpoint_path, weights_only=True)['meta']['provenance']
    assert proof['parent'] == parent.checkpoint_path.name
    assert proof['parent_digest'] == digest(backbone)
    assert proof['tensors'] == len(backbone)
    shapes = [PrunedArchitecture.load(run.checkpoint_path) for run in (parent, child)]
    assert shapes[0] == shapes[1]


def test_detectors_are_measured_and_leave_what_the_report_shows(finished):
    runs = {arm: results(finished)['detection', arm, 0] for arm in DETECTION}
    for arm, run in runs.items():
        assert run.unmeasured is None
        assert run.latency_ms > 0 and run.peak_memory_mib > 0
        assert [one.base_width for one in run.stages] == [8, 16, 32, 64]
        assert all(one.inside < one.base_inside for one in run.stages)
        folder = finished / run.folder
        precision = json.loads((folder / 'curves.json').read_text())['bbox']['precision']
        mean = sum(precision['0.50:0.95']) / len(precision['0.50:0.95'])
        assert mean == pytest.approx(run.metrics['coco/bbox_mAP'], abs=6e-4)
        images = json.loads((folder / 'sheet.json').read_text())['images']
        assert 0 < len(images) <= 5 and all(image['truth']['boxes'] for image in images), arm
    assert runs['prune-c'].peak_memory_mib == pytest.approx(runs['random'].peak_memory_mib, rel=0.2)
    assert (finished / 'report.html').read_text().count('<img') == 3 * len(images)


def test_two_detectors_of_a_study_are_compared_on_the_same_draws_of_its_images(finished):
    found = results(finished)
    ours, theirs = found['detection', 'prune-c', 0], found['detection', 'random', 0]
    pair = paired_bootstrap(ours, theirs, 'coco/bbox_mAP')
    assert pair.test_images == ours.test_images > 0
    assert pair.interval[0] <= pair.difference <= pair.interval[1]
    classifier = found['classification', 'fine-tune', 0]
    with pytest.raises(UserError, match='known are: accuracy/top1'):
        paired_bootstrap(ours, classifier, 'coco/bbox_mAP')


def test_a_study_is_reported_from_its_folder_alone(finished, copy, command, monkeypatch, tmp_path):
    finished = finished.rename(finished.with_name('away'))
    try:
        monkeypatch.chdir(tmp_path)
        assert command('report', copy).status == 0
    finally:
        finished.rename(finished.with_name('work'))
    for kind in ('html', 'md'):
        told = [
            (folder / f'report.{kind}').read_text() for folder in (finished.with_name('work'), copy)
        ]
        assert told[0] == told[1]


@pytest.mark.slow
def test_what_cannot_be_measured_costs_no_training(folder, finished, start, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError('out of memory')

    monkeypatch.setattr('rethink_det.study.detector_measurements.detector_at_work', fail)
    work = Path(shutil.copytree(finished, tmp_path / 'work'))
    shutil.rmtree(work / 'runs' / 'detection')
    assert not start(work).incomplete
    assert digests(work) == digests(finished)
    run = results(work)['detection', 'prune-c', 0]
    assert run.unmeasured == 'latency_ms, peak_memory_mib, sheet: RuntimeError: out of memory'
    assert run.stages is not None and run.latency_ms is None


def test_each_run_logs_into_its_own_folder(finished):
    folders = [path.parent for path in finished.rglob('result.json') if 'pruning' not in str(path)]
    assert len(folders) == 8
    assert [len(list(folder.rglob('scalars.json'))) for folder in folders] == [1] * 8


def test_report_is_written(finished):
    for name in ('report.md', 'report.html', 'report.csv'):
        assert (finished / name).stat().st_size > 0
    text = (finished / 'report.md').read_text()
    assert all(arm in text for arm in (*CLASSIFICATION, *DETECTION))


@pytest.mark.slow
def test_second_start_retrains_nothing(folder, finished, command):
    before, measured = times(finished), results(finished)
    assert command('study', folder / 'study.py', '--work-dir', finished).status == 0
    assert times(finished) == before
    assert results(finished) == measured


@pytest.mark.slow
def test_moved_study_is_still_finished(start, copy):
    before = times(copy)
    assert not start(copy).incomplete
    assert times(copy) == before
    assert all(run.checkpoint_path.is_relative_to(copy) for run in results(copy).values())


@pytest.mark.slow
@pytest.mark.parametrize('lost', ['result.json', 'folder', 'checkpoint'])
def test_only_a_lost_run_is_repeated_and_ends_alike(start, finished, copy, lost):
    (run,) = copy.glob('runs/classification/classifier/fine-tune/seed1-*')
    if lost == 'folder':
        shutil.rmtree(run)
    else:
        for path in run.glob('result.json' if lost == 'result.json' else '*.pth'):
            path.unlink()
    before = times(copy)
    assert not start(copy).incomplete
    changed = {path for path, when in times(copy).items() if before.get(path) != when}
    assert changed
    assert {path.parts[1:5] for path in changed} == {run.relative_to(copy).parts[1:5]}
    assert digests(copy) == digests(finished)
    assert [r.metrics for r in results(copy).values()] == [
        r.metrics for r in results(finished).values()
    ]


def test_other_settings_are_another_run(start, copy):
    before = times(copy)
    lr = {'study.classification.arm_settings.fine_tune_lr': 0.02}
    assert not start(copy, {**lr, 'study.detection': [], 'study.seeds': [0]}).incomplete
    new = {path.parts[3] for path in times(copy) if path not in before}
    assert 'fine-tune' in new
    assert not {'unpruned', 'pruned'} & new
    assert {key[1] for key in results(copy)} == set(CLASSIFICATION)


@pytest.mark.slow
def test_failed_run_takes_only_its_dependants_along(folder, start, copy, command):
    lr = 'study.classification.arm_settings.fine_tune_lr=1000.0'
    done = command('study', folder / 'study.py', '--work-dir', copy, '--cfg-options', lr)
    assert done.status == 1
    assert '3 runs have no result' in done.out
    found = results(copy)
    assert {key[1] for key, run in found.items() if run.status == 'failed'} == {
        'fine-tune',
        'prune-c',
    }
    assert 'finite' in found['classification', 'fine-tune', 0].error
    assert 'not started' in found['detection', 'prune-c', 0].error
    assert found['detection', 'random', 0].status == 'completed'
    assert found['classification', 'scratch-b', 1].status == 'completed'
    assert (copy / 'report.html').is_file()

    assert not start(copy).incomplete  # the mistake mended
    assert {run.status for run in results(copy).values()} == {'completed'}


@pytest.mark.slow
def test_failed_detector_leaves_the_others_completed(start, copy):
    broken = dict(config='detector.py', arms=['random'], seeds=[0], options={'model.neck': None})
    assert len(start(copy, {'study.detection': [broken]}).incomplete) == 1
    status = {key[:2]: run.status for key, run in results(copy).items()}
    assert status.pop(('detection', 'random')) == 'failed'
    assert set(status.values()) == {'completed'}


@pytest.mark.slow
def test_killed_study_continues_and_ends_like_an_unbroken_one(folder, start, tmp_path):
    study = folder / 'long.py'
    study.write_text(
        'study = dict(seeds=[3], classification=dict(config="classifier.py", epochs=24, '
        'pruner=dict(type="L1NormPruner", ratios=0.5), arms=["unpruned"]))'
    )
    unbroken, killed = tmp_path / 'unbroken', tmp_path / 'killed'
    assert not start(unbroken, study=study).incomplete

    line = [sys.executable, '-m', 'rethink_det.cli', 'study', str(study), '--work-dir', str(killed)]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(killed.rglob('epoch_*.pth')):
        assert process.poll() is None, 'ended before its first checkpoint'
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not list(killed.rglob('result.json'))

    assert not start(killed, study=study).incomplete
    assert digests(killed) == digests(unbroken)
    assert [r.metrics for r in results(killed).values()] == [
        r.metrics for r in results(unbroken).values()
    ]
    console = '\n'.join(path.read_text() for path in killed.rglob('console.log'))
    assert 'resume' in console.lower()


@pytest.mark.slow
def test_processes_give_the_same(folder, finished, command, tmp_path):
    done = command('study', folder / 'study.py', '--work-dir', tmp_path, '--workers', 2)
    assert done.status == 0
    assert digests(tmp_path) == digests(finished)


@pytest.mark.slow
@pytest.mark.skipif(find_spec('ray') is None, reason='Ray is not installed')
def test_ray_gives_the_same(folder, finished, command, tmp_path):
    work = tmp_path / 'work'
    done = command(
        'study', folder / 'study.py', '--work-dir', work, '--ray', 'local', '--workers', 2
    )
    assert done.status == 0
    assert digests(work) == digests(finished)


@pytest.mark.slow
@pytest.mark.skipif(find_spec('submitit') is None, reason='submitit is not installed')
def test_jobs_of_a_cluster_give_the_same(folder, finished, command, tmp_path):
    work = tmp_path / 'work'
    done = command('study', folder / 'study.py', '--work-dir', work, '--slurm', 'cluster=local')
    assert done.status == 0
    assert digests(work) == digests(finished)
