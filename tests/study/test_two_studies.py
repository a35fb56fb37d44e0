"""Two studies in one folder at the same time share its runs, and both end with all results."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from rethink_det.report import StudyResults
from rethink_det.report.run_lock import Lock, Taken, lock, owner_of
from rethink_det.study.execute import execute_study
from rethink_det.study.graph import runs_of
from tests.study.test_execute import Recorder

ROOT = Path(__file__).resolve().parents[2]


class Elsewhere(Recorder):
    """Another study does the first run until all that can be done without it is done."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.asked, self.over = folder, [], threading.Event()
        self.other = threading.Thread(target=self.do)
        self.other.start()

    def do(self):
        with lock(self.folder):
            self.over.wait(120)

    def submit(self, work, run, parents, work_dir):
        future = super().submit(work, run, parents, work_dir)
        if run.arm == 'unpruned' and run.seed == 0:
            with lock(self.folder) as held:
                self.asked.append(held)
                if isinstance(held, Taken):
                    self.done.remove(run.key)
                    future = Future()
                    future.set_result(held)
        elif len(self.done) == 4:
            threading.Timer(0.5, self.over.set).start()
        return future


def test_other_runs_go_on_while_one_is_done_elsewhere(study, tmp_path, capsys):
    plan, recorder = study(seeds=[0, 1]), Elsewhere(tmp_path / 'runs' / 'seed0-01234567')
    while owner_of(recorder.folder) is None:
        time.sleep(0.01)
    results = execute_study(plan, tmp_path, recorder)
    recorder.other.join()
    assert not results.incomplete and len(recorder.done) == len(runs_of(plan))
    assert all('seed1' in key for key in recorder.done[:4])
    assert [type(held) for held in recorder.asked] == [Taken, Lock]  # asked again when it is over
    told = capsys.readouterr().err
    assert told.count('is done by another study, process') == 1


def begun(work):
    """How often each run was begun, by its folder."""
    counts = {}
    for path in work.rglob('times.json'):
        counts[path.parent.name, path.parent.parent.name] = path.read_text().count('"begun"')
    return counts


@pytest.mark.slow
def test_two_processes_on_one_folder_do_no_run_twice(study, tmp_path):
    plan, work = study(seeds=[0, 1, 2]), tmp_path / 'work'
    line = [sys.executable, '-m', 'rethink_det.cli', 'study', 'study.py', '--work-dir', str(work)]
    place = dict(cwd=tmp_path, env=os.environ | {'PYTHONPATH': f'{ROOT}'}, text=True)
    config = (tmp_path / 'net.py').read_text()
    tiny = "custom_imports = dict(imports=['tests.conftest'])\n"
    (tmp_path / 'net.py').write_text(tiny + config)
    both = [subprocess.Popen(line, stderr=subprocess.PIPE, **place) for _ in range(2)]
    told = [process.communicate(timeout=1200)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    results = StudyResults.read(work)
    assert len(results.runs) == 9 and not results.incomplete
    counts = begun(work)
    assert len(counts) == len(runs_of(plan)) and set(counts.values()) == {1}
    assert not list(work.rglob('.*.lock'))


@pytest.mark.slow
def test_the_run_of_a_killed_study_is_taken_over(study, tmp_path):
    study(seeds=[0])
    config = (tmp_path / 'net.py').read_text().replace('max_epochs=1', 'max_epochs=400')
    (tmp_path / 'net.py').write_text("custom_imports = dict(imports=['tests.conftest'])\n" + config)
    work = tmp_path / 'work'
    line = [sys.executable, '-m', 'rethink_det.cli', 'study', 'study.py', '--work-dir', str(work)]
    place = dict(cwd=tmp_path, env=os.environ | {'PYTHONPATH': f'{ROOT}'}, text=True)
    first = subprocess.Popen(line, stderr=subprocess.DEVNULL, **place)
    end = time.monotonic() + 600
    while not list(work.rglob('epoch_*.pth')) and time.monotonic() < end:
        time.sleep(0.01)
    second = subprocess.Popen(line, stderr=subprocess.PIPE, **place)
    while 'another study' not in (told := second.stderr.readline()):
        assert second.poll() is None
    assert f'process {first.pid} on ' in told
    first.kill()
    first.wait()
    second.communicate(timeout=1200)
    assert second.returncode == 0
    assert set(begun(work).values()) == {1, 2}
