"""Processes that runs are handed to live no longer than the study that started them."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.study.executors import OnRay, Processes, worker_died
from tests.study.in_workers import stay

ROOT = Path(__file__).resolve().parents[2]
STARTER = """
import sys, time
from pathlib import Path
from rethink_det.study.executors import pool
from tests.study.in_workers import stay

if __name__ == '__main__':
    work = pool(1, sharing=1).submit(stay, sys.argv[1])
    work.result()
"""


def alive(process: int) -> bool:
    """Whether it still runs; one that nobody has waited for is dead, too."""
    try:
        return Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def until(true) -> bool:
    end = time.monotonic() + 120
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


@pytest.mark.slow
def test_a_killed_study_leaves_no_process_behind(tmp_path):
    (tmp_path / 'starter.py').write_text(STARTER)
    told = tmp_path / 'process'
    study = subprocess.Popen(
        [sys.executable, str(tmp_path / 'starter.py'), str(told)],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert until(told.is_file)
    worker = int(told.read_text())
    assert alive(worker) and worker != study.pid
    study.send_signal(signal.SIGKILL)
    study.wait()
    assert until(lambda: not alive(worker))


@pytest.mark.slow
def test_a_killed_process_takes_no_other_work_along(tmp_path):
    with Processes(2) as executor:
        first, second = (executor.submit(stay, str(tmp_path / name)) for name in 'ab')
        assert until(lambda: all((tmp_path / name).is_file() for name in 'ab'))
        os.kill(int((tmp_path / 'a').read_text()), signal.SIGKILL)
        assert worker_died(first.exception(120)) and not second.done()
        assert executor.submit(os.getpid).result(120) != os.getpid()
        os.kill(int((tmp_path / 'b').read_text()), signal.SIGKILL)
        assert worker_died(second.exception(120))


def test_no_cluster_at_an_address_is_refused():
    pytest.importorskip('ray')
    with pytest.raises(UserError, match="No Ray cluster at 'nowhere'"):
        OnRay('nowhere')


class RayError(Exception):
    """Stands where Ray's own is not installed."""


class RayTaskError(RayError):
    """Carries what the work raised."""


@pytest.mark.parametrize(
    'error, died',
    [
        (BrokenExecutor('gone'), True),
        (type('WorkerCrashedError', (RayError,), {})(), True),
        (type('RayTaskError(ValueError)', (RayTaskError, ValueError), {})(), False),
        (ValueError('of the work'), False),
        (None, False),
    ],
)
def test_whether_it_was_the_process_or_the_work(error, died):
    assert worker_died(error) == died
