"""A run is done by one process at a time, whoever dies."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.report import run_lock
from rethink_det.report.run_lock import Lock, Owner, Taken, lock, owner_of
from tests.report.lock_users import count_alone

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from rethink_det.report.run_lock import Lock, lock

with lock(Path(sys.argv[1])) as held:
    assert isinstance(held, Lock)
    print('held', flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'runs' / 'net' / 'seed0-0123[a]b'  # brackets mean something in patterns


def locks(folder):
    return list(folder.parent.glob('.*.lock')) if folder.parent.exists() else []


@pytest.fixture
def holder(folder, tmp_path):
    """Another process that holds the lock."""
    (tmp_path / 'holder.py').write_text(HOLDER)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / 'holder.py'), str(folder)],
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def written(folder, **owner):
    """A lock that some process left."""
    with lock(folder):
        (path,) = locks(folder)
        content = json.loads(path.read_text()) | owner
    path.write_text(json.dumps(content))
    return path


def test_one_has_it_and_the_other_is_told_who(folder):
    with lock(folder) as held, lock(folder) as other:
        assert isinstance(held, Lock) and isinstance(other, Taken)
        assert other.owner.pid == os.getpid() and other.folder == folder
        assert len(locks(folder)) == 1
    assert locks(folder) == [] and owner_of(folder) is None
    with lock(folder) as again:
        assert isinstance(again, Lock)


def test_a_run_beside_it_is_another(folder):
    with lock(folder), lock(folder.with_name('seed0-4567')) as other:
        assert isinstance(other, Lock)


def test_whoever_fails_gives_it_back(folder):
    with pytest.raises(ZeroDivisionError), lock(folder):
        raise ZeroDivisionError
    assert locks(folder) == []


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGTERM])
def test_that_of_a_killed_process_is_taken_over_at_once(folder, holder, how):
    with lock(folder) as other:
        assert isinstance(other, Taken) and other.owner.pid == holder.pid
    assert str(other.owner).startswith(f'process {holder.pid} on ')
    holder.send_signal(how)
    end = time.monotonic() + 30
    while owner_of(folder) and time.monotonic() < end:
        time.sleep(0.01)  # not waited for: a zombie is dead
    with lock(folder) as mine:
        assert isinstance(mine, Lock) and len(locks(folder)) == 1


@pytest.mark.parametrize('other', [dict(begun=1), dict(pid=2**22 + 5)])
def test_a_pid_that_is_another_process_now_is_gone(folder, other):
    written(folder, **other)
    assert owner_of(folder) is None and locks(folder) == []


def test_of_another_machine_it_counts_as_long_as_there_are_signs_of_life(folder, monkeypatch):
    path = written(folder, machine='another', host='far', pid=1)
    clock = iter([0.0, 100.0, 200.0, 200.0, 380.0, 381.0])
    monkeypatch.setattr(run_lock.time, 'monotonic', lambda: next(clock))
    assert owner_of(folder).host == 'far'  # seen first
    assert owner_of(folder).host == 'far'  # 100 s old
    os.utime(path, ns=(1, 1))  # whatever its clock says
    assert owner_of(folder).host == 'far'
    assert owner_of(folder).host == 'far'
    assert owner_of(folder).host == 'far'  # 180 s old
    assert owner_of(folder) is None and locks(folder) == []


def test_a_damaged_one_is_not_believed_for_ever(folder, monkeypatch):
    path = written(folder)
    path.write_text('{')
    clock = iter([0.0, 200.0])
    monkeypatch.setattr(run_lock.time, 'monotonic', lambda: next(clock))
    assert 'unknown' in str(owner_of(folder))
    assert owner_of(folder) is None and not path.exists()


def test_there_are_signs_of_life(folder, monkeypatch):
    monkeypatch.setattr(run_lock, 'BEAT', 0.01)
    with lock(folder):
        (path,) = locks(folder)
        os.utime(path, ns=(1, 1))
        end = time.monotonic() + 30
        while path.stat().st_mtime_ns == 1 and time.monotonic() < end:
            time.sleep(0.01)
        assert path.stat().st_mtime_ns > 1


def test_who_was_taken_for_dead_writes_nothing(folder):
    with lock(folder) as held:
        held.check()
        held.path.unlink()
        with pytest.raises(UserError, match='another may do the run now'):
            held.check()


def test_of_many_that_come_at_once_never_two_have_it(folder, tmp_path):
    """Each holder looks for a second one while it holds, and counts in a file without care."""
    counter = tmp_path / 'counter'
    counter.write_text('0')
    with ProcessPoolExecutor(4, mp_context=get_context('spawn')) as pool:
        done = [pool.submit(count_alone, str(folder), str(counter), 15) for _ in range(4)]
        assert [future.result() for future in done] == [15] * 4
    assert counter.read_text() == '60' and locks(folder) == []


def test_where_nothing_can_be_written_nobody_has_it(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='file'), lock(tmp_path / 'file' / 'seed0-01'):
        pass
    with pytest.raises(OSError, match='too long'), lock(tmp_path / ('long' * 80)):
        pass


def test_this_process_is_here_and_lives():
    assert Owner.this().is_here and not Owner.this().is_gone
