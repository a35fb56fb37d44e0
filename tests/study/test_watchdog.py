"""A run in whose folder nothing changes is ended, and the study goes on."""

import os
import time
from pathlib import Path

import pytest

from rethink_det.report.run_lock import lock
from rethink_det.study import watchdog
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here, Processes, pool
from rethink_det.study.graph import runs_of
from rethink_det.study.stages import TrainClassifier
from rethink_det.study.watchdog import Stalled, Watchdog
from tests.study.in_workers import hold_still
from tests.study.test_executors import alive, until

SHORT = 0.01  # minutes


@pytest.fixture
def run(study):
    return runs_of(study())[0]


@pytest.fixture
def folder(run, tmp_path):
    folder = tmp_path / 'runs' / f'{run.key}-01234567'
    folder.mkdir(parents=True)
    return folder


def guard(root, minutes=SHORT, executor=None, active=()):
    return Watchdog(root, minutes, executor or Here(), dict(active))


def test_a_run_in_this_process_that_stands_still_is_broken_off(run, folder, tmp_path):
    with guard(tmp_path) as dog, lock(folder):
        dog.begin(run)
        with pytest.raises(Stalled, match='no progress'):
            time.sleep(60)
        assert dog.stopped == {run.key}
        dog.end(run)


def test_one_that_writes_goes_on(run, folder, tmp_path):
    with guard(tmp_path) as dog, lock(folder):
        dog.begin(run)
        for number in range(8):
            time.sleep(0.2)
            (folder / 'progress.txt').write_text(str(number))
        assert not dog.stopped


@pytest.mark.parametrize('held', [True, False])
def test_neither_0_minutes_nor_a_run_that_is_not_begun_ends_anything(run, folder, tmp_path, held):
    other = folder if held else folder.with_name('seed9-01234567')
    with guard(tmp_path, minutes=0 if held else SHORT) as dog, lock(other):
        dog.begin(run)
        time.sleep(1.2)
        assert not dog.stopped


@pytest.mark.slow
def test_a_process_of_this_study_is_killed_with_what_it_started(run, folder, tmp_path):
    told = tmp_path / 'processes'
    with Processes(2) as executor:
        future = executor.submit(hold_still, str(folder), str(told))
        with guard(tmp_path, executor=executor, active=[(future, run)]) as dog:
            dog.begin(run)
            assert type(future.exception(timeout=300)).__name__ == 'BrokenProcessPool'
            assert dog.stopped == {run.key}
    worker, child = map(int, told.read_text().split())
    assert until(lambda: not alive(worker) and not alive(child))


@pytest.mark.slow
def test_a_process_of_another_study_is_left_alone(run, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(watchdog, '_parent', lambda pid: 1)
    with pool(1, sharing=1) as others:
        future = others.submit(hold_still, str(folder), str(tmp_path / 'processes'), 5)
        with guard(tmp_path) as dog:
            dog.begin(run)
            assert future.result(timeout=300) == 'done'
            assert not dog.stopped


def test_a_study_goes_on_without_a_run_that_stands_still(study, tmp_path, monkeypatch, capsys):
    """In this process: the first time each run looks alive, fine-tuning never does."""
    really, began = TrainClassifier.do, []

    def do(stage, config, folder):
        if stage.run.arm == 'fine-tune':
            began.append(os.getpid())
            time.sleep(120)
        return really(stage, config, folder)

    monkeypatch.setattr(TrainClassifier, 'do', do)
    results = execute_study(study(), Path(tmp_path / 'work'), stall_minutes=0.1)
    (lost,) = results.incomplete
    assert lost.arm == 'fine-tune' and len(began) == 2
    assert 'no progress for 0.1 minutes and was ended, 2 times' in lost.error
    assert 'no progress for 0.1 minutes and was ended; the run is tried' in capsys.readouterr().err
    assert not list((tmp_path / 'work').rglob('.*.lock'))
