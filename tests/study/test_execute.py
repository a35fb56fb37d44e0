"""A study does what is missing, in order, and a failure takes only its dependants along."""

import errno
import json
import os
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here, OnRay, processes
from rethink_det.study.graph import runs_of
from rethink_det.study.run import Outcome
from tests.study.conftest import PRUNER


class Recorder(Executor):
    """Pretends to do the work; some of it fails."""

    def __init__(self, failing=(), redone=''):
        self.failing, self.redone, self.done = failing, redone, []

    def submit(self, work, run, parents, work_dir):
        future = Future()
        assert set(parents) == {parent.key for parent in run.parents.values()} <= set(self.done)
        if run.arm in self.failing:
            future.set_exception(RuntimeError(f'no {run.arm}'))
            return future
        self.done.append(run.key)
        metrics = {} if run.stage == 'pruning' else {'accuracy/top1': 50.0}
        result = RunResult(run.stage, run.arm, run.seed, metrics, run.model)
        future.set_result(Outcome(result, self.redone))
        return future


class Collapsing(Recorder):
    """A pool whose processes die with the second run, as when memory runs out."""

    def submit(self, work, run, parents, work_dir):
        if len(self.done) > 1:
            raise BrokenProcessPool('a process ended abruptly')
        return super().submit(work, run, parents, work_dir)


def status(results):
    return {(run.arm, run.seed): run.status for run in results.runs}


def test_every_run_is_done_after_its_parents(study, tmp_path):
    recorder, plan = Recorder(), study(seeds=[0, 1])
    results = execute_study(plan, tmp_path, recorder, workers=3)
    assert sorted(recorder.done) == sorted(run.key for run in runs_of(plan))
    assert not results.incomplete
    assert len(results.runs) == 6  # pruning is no result of its own


@pytest.mark.parametrize(
    'failing, lost',
    [
        ('scratch-e', {'scratch-e'}),
        ('unpruned', {'unpruned', 'pruned', 'fine-tune', 'scratch-e'}),
        ('pruned', {'pruned', 'fine-tune', 'scratch-e'}),
    ],
)
def test_failure_takes_only_dependants_along(study, tmp_path, failing, lost):
    recorder = Recorder([failing])
    results = execute_study(study(), tmp_path, recorder)
    assert {run.arm for run in results.incomplete} == lost
    failed = next(run for run in results.runs if run.arm == failing)
    assert failed.status == 'failed'
    assert f'no {failing}' in failed.error
    for run in results.incomplete:
        assert run is failed or 'not started' in run.error
    written = json.loads((tmp_path / 'results.json').read_text())['runs']
    assert {run['arm'] for run in written if run['status'] != 'completed'} == lost


def test_dead_workers_are_failures_not_a_crash(study, tmp_path):
    results = execute_study(study(), tmp_path, Collapsing())
    assert status(results)['unpruned', 0] == 'completed'
    assert {run.arm for run in results.incomplete} == {'fine-tune', 'scratch-e'}
    assert (tmp_path / 'results.json').is_file()


class Mortal(Recorder):
    """The process of an arm dies so many times."""

    def __init__(self, arm, times):
        super().__init__()
        self.arm, self.left = arm, times

    def submit(self, work, run, parents, work_dir):
        if run.arm == self.arm and self.left:
            self.left -= 1
            future = Future()
            future.set_exception(BrokenProcessPool('a process ended abruptly'))
            return future
        return super().submit(work, run, parents, work_dir)


class Refused(Recorder):
    """The operating system refuses something to fine-tuning."""

    def __init__(self, number):
        super().__init__()
        self.number, self.refused = number, 0

    def submit(self, work, run, parents, work_dir):
        if run.arm != 'fine-tune':
            return super().submit(work, run, parents, work_dir)
        self.refused += 1
        future = Future()
        future.set_exception(OSError(self.number, os.strerror(self.number), 'a.pth'))
        return future


def test_a_full_disk_ends_the_study(study, tmp_path):
    recorder = Refused(errno.ENOSPC)
    with pytest.raises(OSError, match='No space left'):
        execute_study(study(seeds=[0, 1]), tmp_path, recorder)
    assert recorder.refused == 1  # nothing more is started


def test_what_else_the_system_refuses_is_a_failed_run_in_one_line(study, tmp_path):
    (lost,) = execute_study(study(), tmp_path, Refused(errno.EACCES)).incomplete
    assert lost.arm == 'fine-tune' and lost.error.startswith('a.pth: Permission denied (')
    assert '\n' not in lost.error


def test_a_run_whose_process_died_is_tried_again(study, tmp_path, capsys):
    results = execute_study(study(), tmp_path, Mortal('fine-tune', 1))
    assert not results.incomplete
    assert 'fine-tune/seed0  its process died; the run is tried again' in capsys.readouterr().err


@pytest.mark.parametrize('retries, deaths', [(0, 1), (1, 2), (3, 4)])
def test_one_that_dies_again_fails_alone(study, tmp_path, retries, deaths):
    results = execute_study(study(), tmp_path, Mortal('fine-tune', deaths), retries=retries)
    (lost,) = results.incomplete
    assert lost.arm == 'fine-tune' and lost.status == 'failed'
    assert f'died without a word, {deaths} times' in lost.error


def test_real_study_in_this_process(study, tmp_path):
    work, plan = tmp_path / 'work', study()
    results = execute_study(plan, work, Here())
    assert set(status(results).values()) == {'completed'}
    pruners = {run.arm: run.pruner for run in results.runs}
    assert pruners == {'unpruned': None, 'fine-tune': PRUNER, 'scratch-e': PRUNER}
    assert {run.environment.command for run in results.runs} == {results.environment['command']}
    before = {path: path.stat().st_mtime_ns for path in work.rglob('*') if path.is_file()}
    again = execute_study(plan, work, Here())
    after = {path: path.stat().st_mtime_ns for path in work.rglob('*') if path.is_file()}
    changed = {path.name for path, when in after.items() if before.get(path) != when}
    assert changed <= {'results.json', 'graph.json'}
    assert [run.metrics for run in again.runs] == [run.metrics for run in results.runs]


def test_where_runs_differ_is_said_and_each_keeps_its_own(study, tmp_path, monkeypatch):
    monkeypatch.setattr('sys.argv', ['rethink-det', 'study', '--work-dir', str(tmp_path / 'work')])
    execute_study(study(), tmp_path / 'work', Here())
    monkeypatch.setattr('sys.argv', ['rethink-det', 'study', 'again'])
    told = execute_study(study(arms=('fine-tune', 'scratch-b')), tmp_path / 'work', Here())
    commands = {run.arm: run.environment.command for run in told.runs}
    first = 'rethink-det study --work-dir .'
    assert commands == {
        'unpruned': first, 'fine-tune': first, 'scratch-b': 'rethink-det study again',
    }  # fmt: skip
    assert told.environment['command'] == (f'{first} (2 runs); rethink-det study again (1 run)')


def test_given_parent_is_evaluated_not_trained_and_its_compute_stays_unknown(study, tmp_path):
    trained = execute_study(study(), tmp_path / 'first', Here())
    parent = next(run for run in trained.runs if run.arm == 'unpruned')
    given = study(parent=str(parent.checkpoint_path))
    given = execute_study(given, tmp_path / 'second', Here())
    runs = {run.arm: run for run in given.runs}
    assert runs['unpruned'].metrics == parent.metrics
    assert runs['unpruned'].epochs == 0
    assert parent.total_train_macs > 0
    assert runs['unpruned'].total_train_macs is runs['fine-tune'].total_train_macs is None
    assert runs['scratch-e'].total_train_macs == runs['scratch-e'].train_macs > 0


@pytest.mark.parametrize('kind, known', [('L1NormPruner', True), ('MagnitudePruner', False)])
def test_from_scratch_needs_the_parent_where_its_weights_told_the_shape(
    study, tmp_path, kind, known
):
    pruner = PRUNER if known else dict(type=kind, ratio=0.5)
    plan = study(pruner=pruner, arms=('fine-tune', 'scratch-e'))
    results = execute_study(plan, tmp_path / 'work', Here())
    before = {run.arm: run.total_train_macs - run.train_macs for run in results.runs}
    parent = next(run for run in results.runs if run.arm == 'unpruned').train_macs
    assert before == {'unpruned': 0, 'fine-tune': parent, 'scratch-e': 0 if known else parent}


def test_missing_parent_is_refused_before_anything_is_started(study, tmp_path):
    with pytest.raises(UserError, match='nowhere.pth does not exist'):
        execute_study(study(parent='nowhere.pth'), tmp_path / 'work', Here())
    assert not (tmp_path / 'work').exists()


def test_ratio_that_prunes_nothing_is_a_failed_run_with_its_reason(study, tmp_path):
    results = execute_study(study(pruner=dict(PRUNER, skip=['layer9'])), tmp_path / 'work', Here())
    assert status(results)['unpruned', 0] == 'completed'
    (pruning,) = [run for run in results.incomplete if run.arm == 'pruned']
    assert 'layer9' in pruning.error


def test_why_a_run_is_done_again_is_told_with_it(study, tmp_path, capsys):
    execute_study(study(), tmp_path, Recorder(redone='lr: 1 -> 2'))
    line = next(x for x in capsys.readouterr().err.splitlines() if 'fine-tune' in x)
    assert 'accuracy/top1 50, done again: lr: 1 -> 2' in line


def test_a_metric_that_is_not_finite_is_no_failure(study, tmp_path):
    class Diverged(Recorder):
        def submit(self, *work):
            future = super().submit(*work)
            outcome = future.result()
            future = Future()
            metrics = {'accuracy/top1': None}
            future.set_result(replace(outcome, result=replace(outcome.result, metrics=metrics)))
            return future

    assert not execute_study(study(), tmp_path, Diverged()).incomplete


def test_executor_in_this_process_hands_on_errors():
    assert Here().submit(divmod, 7, 2).result() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        Here().submit(divmod, 1, 0).result()


def test_one_worker_is_this_process():
    assert isinstance(processes(1), Here)


def test_missing_cluster_is_refused():
    pytest.importorskip('ray')
    with pytest.raises(UserError, match="No Ray cluster at 'auto'"):
        OnRay('auto')
