"""What a study is at, by the files in its folder alone."""

import json
import os
import time
from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.layout import lock_file
from rethink_det.report import RunResult, StudyResults
from rethink_det.report.run_graph import PlannedRun, RunGraph
from rethink_det.report.run_times import Sitting, Times
from rethink_det.report.study_status import status_of

KEYS = TRAINED, PRUNED, TUNED, SCRATCH = (
    'classification/net/unpruned/seed0', 'pruning/net/pruned/seed0',
    'classification/net/fine-tune/seed0', 'classification/net/scratch-e/seed0',
)  # fmt: skip
AFTER = {TRAINED: (), PRUNED: (TRAINED,), TUNED: (PRUNED,), SCRATCH: (PRUNED,)}


def result_of(key, **more):
    stage, model, arm, _ = key.split('/')
    return RunResult(stage, arm, 0, {}, model, key=key, **more)


@pytest.fixture
def root(tmp_path):
    """The folder of a study of four runs, none of them begun."""
    runs = [PlannedRun(key, *key.split('/')[:3:2], 'net', AFTER[key]) for key in KEYS]
    (tmp_path / 'runs').mkdir()
    RunGraph('mine', tuple(runs)).write(tmp_path)
    return tmp_path


@pytest.fixture
def begin(root):
    """Begins a run some seconds ago."""

    def make(key, ago=10.0, progress=None, epochs=4):
        folder = root / 'runs' / f'{key}-01234567'
        folder.mkdir(parents=True)
        config = {'train_cfg': {'max_epochs': epochs}}
        (folder / 'recipe.json').write_text(json.dumps({'recipe': {'config': config}}))
        Times((Sitting(time.time() - ago, 'CPU core', 1),)).write(folder / 'times.json')
        if progress:
            (folder / 'progress.txt').write_text(progress)
        lock_file(folder, 'abc').write_text('{}')
        return folder

    return make


@pytest.fixture
def finish(root, begin):
    """Finishes a run that took some seconds."""

    def make(key, seconds=30.0, **more):
        folder = begin(key).relative_to(root).as_posix()
        replace(result_of(key, wall_s=seconds, **more), root=root, folder=folder).write()

    return make


def states(status):
    return [run.state for run in status.runs]


def test_before_the_first_run_all_wait_for_it(root):
    status = status_of(root)
    assert states(status) == ['to do', 'waiting', 'waiting', 'waiting']
    assert status.runs[2].waits_for == (PRUNED,)
    assert status.left is None and status.unknown == 4
    assert status.text.endswith('not known, as nothing like it is done')


def test_a_run_says_how_far_it_is_and_when_it_will_be_done(begin, root):
    begin(TRAINED, ago=30, progress='60 100')
    status = status_of(root)
    run = status.runs[0]
    assert (run.state, run.done, run.total) == ('running', 60, 100)
    assert run.left == pytest.approx(20, abs=2)
    assert 'epoch 3 of 4 (iteration 60 of 100), 30 s so far, about 20 s left' in status.text
    assert status.left == run.left and status.unknown == 3


def test_what_is_to_come_takes_as_long_as_what_is_most_like_it(finish, root):
    finish(TRAINED, 100)
    finish(PRUNED, 7)
    finish(TUNED, 50)
    status = status_of(root)
    assert states(status) == ['done', 'done', 'done', 'to do']
    assert status.runs[3].left == 75 == status.left and not status.unknown
    assert '3 done, 1 to do; about 75 s left' in status.text


def test_when_all_is_done_nothing_is_left(finish, root):
    for key in KEYS:
        finish(key)
    status = status_of(root)
    assert status.left == 0 and status.counts == {'done': 4}
    assert status.text.endswith('nothing is left to do')


def test_a_metric_that_is_not_finite_is_said_of_a_finished_run(finish, root):
    finish(TRAINED, error='not finite: accuracy/top1')
    assert 'not finite: accuracy/top1' in status_of(root).text


def test_a_run_without_a_sign_of_life_was_broken_off(begin, root):
    lock = lock_file(begin(TRAINED, progress='1 100'), 'abc')
    os.utime(lock, (0, 0))
    run = status_of(root).runs[0]
    assert run.state == 'broken off' and run.since is None
    lock.unlink(missing_ok=True)
    assert status_of(root).runs[0].state == 'broken off'


def test_a_failed_run_says_why_in_a_line(root):
    trace = 'Traceback (most recent call last):\n  ...\nRuntimeError: out of memory'
    rows = [result_of(PRUNED, status='failed', error=trace)]
    StudyResults('mine', rows).write(root)
    status = status_of(root)
    assert status.runs[1].state == 'failed'
    assert status.runs[1].reason == 'RuntimeError: out of memory'


def test_a_run_that_was_done_since_it_failed_is_done(finish, root):
    StudyResults('mine', [result_of(TRAINED, status='failed', error='of old')]).write(root)
    finish(TRAINED)
    assert status_of(root).runs[0].state == 'done'


def test_studies_of_before_tell_what_they_trained(older_results_folder):
    status = status_of(older_results_folder)
    assert set(states(status)) == {'done'} and len(status.runs) > 2


@pytest.fixture
def older_results_folder(root, finish):
    finish(TRAINED)
    finish(TUNED)
    finish(SCRATCH)
    (root / 'graph.json').unlink()
    StudyResults('mine', [result_of(key) for key in (TRAINED, TUNED, SCRATCH)]).write(root)
    return root


def test_it_is_plain_values_for_other_programs(finish, root):
    finish(TRAINED)
    told = json.loads(json.dumps(status_of(root).to_dict()))
    assert told['counts'] == {'done': 1, 'to do': 1, 'waiting': 2}
    assert told['runs'][0]['key'] == TRAINED


@pytest.mark.parametrize('text', ['{', '[]', '{"study": "x"}', '{"study": "x", "runs": [{}]}'])
def test_a_damaged_graph_is_refused(root, text):
    (root / 'graph.json').write_text(text)
    with pytest.raises(UserError, match='graph.json: '):
        status_of(root)


def test_what_is_no_study_is_refused(tmp_path):
    with pytest.raises(UserError, match='no folder of a study'):
        status_of(tmp_path / 'nowhere')
