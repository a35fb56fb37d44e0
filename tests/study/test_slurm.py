"""Runs as jobs of a cluster: submitit's local executor, which starts a process for each."""

import os
import shutil
import signal
import time

import pytest

from rethink_det.errors import UserError
from rethink_det.layout import JOBS
from rethink_det.study.executors import worker_died
from rethink_det.study.slurm import OnSlurm

pytest.importorskip('submitit')


def place(number):
    """What is told of a job's process."""
    return number, os.getpid(), os.getcwd()


def refuse(text):
    raise UserError(text)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def begun(executor):
    """Wait until all that was handed out is submitted."""
    while not executor._jobs or any(job.submitted is None for job in executor._jobs):
        time.sleep(0.1)


# Jobs on this machine are cancelled by SIGINT.
pytestmark = pytest.mark.usefixtures('ctrl_c_heard')


@pytest.fixture
def local(tmp_path):
    return OnSlurm(tmp_path, {'cluster': 'local'})


@pytest.mark.slow
def test_work_is_done_elsewhere_in_the_same_folder_and_leaves_nothing(local, tmp_path):
    with local:
        futures = [local.submit(place, number) for number in range(2)]
        (one, first, cwd), (two, second, _) = (future.result(300) for future in futures)
    assert (one, two) == (0, 1) and len({first, second, os.getpid()}) == 3
    assert cwd == os.getcwd()
    assert not list((tmp_path / JOBS).iterdir())


@pytest.mark.slow
def test_what_work_raises_keeps_its_kind_and_a_dead_job_is_known(local, tmp_path):
    with local:
        refused, dead = local.submit(refuse, 'no such file'), local.submit(die)
        error = refused.exception(300)
        assert isinstance(error, UserError) and str(error) == 'no such file'
        assert worker_died(dead.exception(300)) and not worker_died(error)
    assert list((tmp_path / JOBS).rglob('*.err'))  # what they printed is kept


@pytest.mark.slow
def test_cancelled_jobs_end(local):
    future = local.submit(time.sleep, 600)
    begun(local)
    local.shutdown(wait=False, cancel_futures=True)
    assert future.exception(60) is not None


def test_a_job_is_ended_and_its_run_is_one_whose_process_died(local):
    with local:
        future = local.submit(time.sleep, 600)
        begun(local)
        local.end(future)
        assert worker_died(future.exception(120))
        local.end(future)  # it is over: nothing happens


@pytest.mark.slow
def test_the_other_jobs_go_on(local):
    with local:
        ended, other = local.submit(time.sleep, 600), local.submit(time.sleep, 600)
        begun(local)
        local.end(ended)
        assert worker_died(ended.exception(120)) and not other.done()
        local.end(other)
        assert worker_died(other.exception(120))


def test_what_a_cluster_refuses_fails_the_runs_and_not_the_study(local):
    shutil.rmtree(local._folder)
    local._folder.parent.rmdir()
    local._folder.parent.write_text('no folder')
    with local, pytest.raises(UserError, match='Slurm took no job'):
        local.submit(place, 0).result(60)


@pytest.mark.parametrize(
    'options, told',
    [
        ({}, 'sbatch is not found'),
        ({'cluster': 'local', 'partitoin': 'gpu'}, "'partitoin'; did you mean partition"),
        ({'cluster': 'local', 'gpus_per_node': 'two'}, 'gpus_per_node'),
        ({'cluster': 'debug'}, 'must be one of slurm, local'),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, told):
    with pytest.raises(UserError, match=told):
        OnSlurm(tmp_path, options)
    assert not list(tmp_path.rglob(f'{JOBS}/*'))


def test_on_slurm_the_time_must_be_known(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, 'which', lambda name: f'/usr/bin/{name}')
    with pytest.raises(UserError, match='needs timeout_min=MINUTES'):
        OnSlurm(tmp_path, {'partition': 'gpu'})


def test_options_go_by_the_names_of_both(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, 'which', lambda name: f'/usr/bin/{name}')
    options = {'partition': 'gpu', 'slurm_account': 'mine', 'time': '2-00:00:00', 'mem_gb': 4}
    executor = OnSlurm(tmp_path, {**options, 'gpus_per_node': 1})
    parameters = executor._executor._executor.parameters
    executor.shutdown()
    assert parameters == {
        'partition': 'gpu', 'account': 'mine', 'time': '2-00:00:00', 'mem': '4GB',
        'gpus_per_node': 1,
    }  # fmt: skip
