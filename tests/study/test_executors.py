"""Processes that runs are handed to live no longer than the study that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
