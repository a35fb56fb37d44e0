"""Ctrl-C at a terminal, which all processes of a study are sent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from rethink_det.report import RunResult
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('ctrl_c_heard')]
STUDY = """
study = dict(seeds=[3, 4, 5], classification=dict(
    config='classifier.py', epochs=24, pruner=dict(type='L1NormPruner', ratios=0.5),
    arms=['unpruned']))
"""


@pytest.fixture(scope='module')
def study(write_configs, tmp_path_factory):
    folder = tmp_path_factory.mktemp('interrupted')
    write_configs(folder)
    (folder / 'long.py').write_text(STUDY)
    return folder / 'long.py'


def until(true, process):
    deadline = time.monotonic() + 300
    while not true():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def interrupted(study, work, workers, times):
    """What the study said until it ended, Ctrl-C being pressed so often during its first runs."""
    line = [sys.executable, '-m', 'rethink_det.cli', 'study', study, '--work-dir', work]
    line += ['--workers', workers]
    err = work.with_suffix('.err')
    with err.open('w') as file:
        process = subprocess.Popen(map(str, line), stderr=file, start_new_session=True)
    until(lambda: len(list(work.rglob('epoch_*.pth'))) >= workers, process)
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        until(lambda: 'Finishing ' in err.read_text(), process)
    started = time.monotonic()
    assert process.wait(300) == 130
    return err.read_text(), time.monotonic() - started


@pytest.mark.parametrize('workers', [1, 2])
def test_the_first_finishes_what_goes_on_and_starts_nothing(study, tmp_path, workers):
    told, _ = interrupted(study, tmp_path / 'work', workers, times=1)
    assert told.count('Finishing classification/classifier/unpruned/seed3 (iteration') == 1
    assert 'Ctrl-C again ends at once' in told and 'Traceback' not in told
    assert len(list((tmp_path / 'work').rglob('result.json'))) == workers
    assert told.splitlines()[-1] == 'interrupted; the same command continues where it stopped'


@pytest.mark.parametrize('workers', [1, 2])
def test_the_second_ends_at_once_and_nothing_is_lost(study, tmp_path, workers):
    told, took = interrupted(study, tmp_path / 'work', workers, times=2)
    assert 'ended at once; the same command continues' in told and 'Traceback' not in told
    assert took < 10 and not list((tmp_path / 'work').rglob('result.json'))

    mine, theirs = (
        [digest(run) for run in execute_study(Study.load(study), tmp_path / name).runs]
        for name in ('work', 'unbroken')
    )
    assert mine == theirs and None not in mine


def digest(run: RunResult):
    return run.digest
