"""A study whose trainings are computed together: planned, grouped, continued, reported."""

import sys
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_det import UserError, execute_study, write_report
from rethink_det.defaults import MEMBERS
from rethink_det.layout import RESULT, TOGETHER
from rethink_det.report.run_result import COMPLETED
from rethink_det.study import together
from rethink_det.study.dry_run import dry_run
from rethink_det.study.executors import Here
from rethink_det.study.graph import runs_of
from rethink_det.study.group_run import Elsewhere, each_of, job_of
from rethink_det.study.recipe import Recipe
from rethink_det.study.run import execute as run_alone
from rethink_det.study.run import find_folder
from rethink_det.study.stages import stage_of
from rethink_det.study.together import (
    MOST,
    Groups,
    beside_each_other,
    computed,
    most_together,
)
from rethink_det.training.loop import FastEpochLoop
from rethink_det.training.together import Ended, Place

ARMS = ('fine-tune', 'scratch-e', 'scratch-b')


@pytest.fixture
def fast_study(study, tiny_config, tmp_path):
    """As ``study``, over the tiny classifier trained by the loop that computes together."""

    def make(*args, loop=None, model=None, epochs=1, **changes):
        config = tiny_config(epochs=epochs)
        config.train_cfg.pop('by_epoch')
        config.train_cfg.update({'type': 'rethink_det.FastEpochLoop', **(loop or {})})
        config.model.head.update(model or {})
        config.dump(tmp_path / 'net.py')
        return study(*args, **changes)

    return make


class Recorder(Here):
    """Notes what is handed out: keys of runs, a group as one list."""

    def __init__(self):
        self.handed = []

    def submit(self, work, /, runs, *args, **kwargs):
        group = runs if isinstance(runs, list) else [runs]
        self.handed.append([run.key for run in group])
        return super().submit(work, runs, *args, **kwargs)


def places(results):
    """As what the trainings of a study were computed, by key."""
    return {run.key: Place.read(run.place) for run in results.runs}


def test_five_seeds_of_four_arms_are_grouped_continued_and_reported(fast_study, tmp_path):
    plan, work = fast_study(range(5), ARMS), tmp_path / 'work'
    recorder = Recorder()
    results = execute_study(plan, work, recorder, together=5)
    assert not results.incomplete and len(results.runs) == 20
    groups = [group for group in recorder.handed if len(group) > 1]
    assert [len(group) for group in groups] == [5] * 4  # fine-tune and scratch-e in some of them
    assert len(recorder.handed) == 4 + 5  # every pruning alone, before what it leads to
    assert sorted(key for group in groups for key in group) == sorted(places(results))
    assert all(place.size == 5 for place in places(results).values())
    assert {run.training.computed for run in results.runs} == {'together'}
    shares = [run.wall_s for run in results.runs]
    assert all(0 < one < 60 for one in shares)
    again = Recorder()
    assert execute_study(plan, work, again, together=5).runs == results.runs
    assert sorted(again.handed) == sorted(
        [run.key] for run in runs_of(plan)
    )  # found, and one by one
    text = Path(write_report(work)['markdown']).read_text()
    assert '| steps computed' in text and 'together' in text
    assert 'hours are a share of those of the group: unpruned' in text


def test_what_a_kill_left_undone_is_done_and_nothing_else(fast_study, tmp_path, monkeypatch):
    plan = fast_study(range(3), ['unpruned'], epochs=2)
    whole = execute_study(plan, tmp_path / 'whole', together=3)
    step = FastEpochLoop.run_iter

    def dying(loop, index, batch):
        if loop.iter == 4:  # in the second epoch
            raise KeyboardInterrupt
        step(loop, index, batch)

    with monkeypatch.context() as patch:
        patch.setattr(FastEpochLoop, 'run_iter', dying)
        assert len(execute_study(plan, tmp_path / 'killed', together=3).incomplete) == 3
    assert_ends_as(whole, plan, tmp_path / 'killed', [0, 1, 2])
    for run in execute_study(plan, tmp_path / 'killed', together=3).runs:
        if run.seed != 1:  # killed after their last checkpoint
            (run.place / RESULT).unlink()
    assert_ends_as(whole, plan, tmp_path / 'killed', [0, 2])


def assert_ends_as(whole, plan, work, left):
    """The study goes on with these seeds as one group, and comes to the same weights."""
    recorder = Recorder()
    after = execute_study(plan, work, recorder, together=3)
    assert [run.digest for run in after.runs] == [run.digest for run in whole.runs]
    assert [run.identity for run in after.runs] == [run.identity for run in whole.runs]
    assert places(after) == places(whole)
    assert [run.key for run in whole.runs if run.seed in left] in recorder.handed


def test_one_that_fails_leaves_the_others_of_its_group(fast_study, tmp_path, monkeypatch):
    plan = fast_study(range(3), ['scratch-e'])

    def failing(run, *args, **kwargs):
        if run.key.endswith('unpruned/seed1'):
            raise RuntimeError('lightning')
        return run_alone(run, *args, **kwargs)

    monkeypatch.setattr('rethink_det.study.group_run.execute', failing)
    results = execute_study(plan, tmp_path, together=3)
    failed = {run.key for run in results.runs if run.status != COMPLETED}
    assert {key.rpartition('/')[2] for key in failed} == {'seed1'}
    error = next(run.error for run in results.runs if run.key in failed and run.arm == 'unpruned')
    assert 'lightning' in error and 'in failing' in error


def test_together_and_alone_are_other_runs(fast_study, tmp_path):
    plan = fast_study([0], ['scratch-e'])
    alone = execute_study(plan, tmp_path)
    recorder = Recorder()
    both = execute_study(plan, tmp_path, recorder, together=2)
    assert {run.training.computed for run in alone.runs} == {'alone'}
    assert {run.training.computed for run in both.runs} == {'together'}
    assert not {run.identity for run in alone.runs} & {run.identity for run in both.runs}
    assert most_together('auto', tmp_path) == MEMBERS
    assert [run.identity for run in execute_study(plan, tmp_path).runs] == [
        run.identity for run in alone.runs
    ]
    assert most_together('auto', tmp_path) == 1


@pytest.mark.parametrize(
    'changes, reason',
    [
        (dict(loop=dict(compile=True)), 'train_cfg.compile'),
        (dict(loop=dict(type='EpochBasedTrainLoop')), 'another loop'),
        (dict(model=dict(dropout=0.5)), 'head.dropout draws random numbers'),
    ],
    ids=['compiled', 'another loop', 'dropout'],
)
def test_what_cannot_be_is_computed_alone_and_says_why(fast_study, tmp_path, changes, reason):
    results = execute_study(fast_study(arms=['unpruned'], **changes), tmp_path, together=2)
    (run,) = results.runs
    assert run.training.computed == 'alone' and not (run.place / TOGETHER).exists()
    told = (run.place / 'console.log').read_text()
    assert 'Computed alone, not together with other runs: ' in told and reason in told


def test_a_group_that_does_not_fit_is_split(fast_study, tmp_path, monkeypatch):
    monkeypatch.setattr(together, 'free_bytes', lambda: 0)
    monkeypatch.setattr(together, 'most_members', lambda each, free: 2)
    recorder = Recorder()
    plan = fast_study(range(3), ['scratch-e'])
    results = execute_study(plan, tmp_path, recorder, together=3)
    sizes = [len(group) for group in recorder.handed if 'pruning' not in group[0]]
    assert sorted(sizes) == [1, 1, 2, 2]
    sizes = [Place.read(run.place).size for run in results.runs if run.arm == 'unpruned']
    assert sizes == [2, 2, 1] and {run.training.computed for run in results.runs} == {'together'}


def test_a_plan_says_so(fast_study):
    plan, told = fast_study([0]), 'of one shape are computed together'
    assert told in dry_run(computed(plan, True)) and told not in dry_run(computed(plan, False))


# -- what is grouped -------------------------------------------------------------------------


def unpruned(fast_study, seeds):
    plan = computed(fast_study(seeds, ['scratch-e']), True)
    return [run for run in runs_of(plan) if run.arm == 'unpruned']


@settings(max_examples=5)
@given(st.integers(2, 4), st.booleans())
def test_no_run_is_lost_and_only_full_groups_do_not_wait(fast_study, tmp_path, most, wait):
    ready = unpruned(fast_study, range(5))
    groups = Groups(tmp_path, most).of(ready, {}, wait)
    assert all(len(group) <= most for group in groups)
    if wait:
        assert all(len(group) == most for group in groups)
    else:
        assert [run for group in groups for run in group] == ready


def test_other_epochs_are_another_group_and_other_rates_are_not(fast_study, tmp_path):
    runs = unpruned(fast_study, [0, 1])
    rate = {'optim_wrapper.optimizer.lr': 0.2}
    mixed = [runs[0], replace(runs[1], options=rate)]
    longer = [replace(run, seed=run.seed + 5, epochs=2) for run in runs]
    assert Groups(tmp_path, 4).of(mixed, {}, False) == [mixed]
    assert Groups(tmp_path, 4).of([*runs, *longer], {}, False) == [runs, longer]
    assert Groups(tmp_path, 1).of(runs, {}, False) == [[run] for run in runs]


def test_what_was_begun_goes_on_among_as_many_as_before(fast_study, tmp_path):
    runs = unpruned(fast_study, range(4))
    for run, number in ((runs[0], 0), (runs[2], 4)):
        stage = stage_of(run, {})
        folder, _ = find_folder(stage, Recipe.of(stage, stage.config()), tmp_path)
        Place(number, 5).write(folder)
    groups = Groups(tmp_path, 4).of(runs, {}, False)
    assert groups == [[runs[0], runs[2]], [runs[1], runs[3]]]


@pytest.mark.parametrize('gpus, workers, beside', [(0, 1, 1), (0, 3, 3), (2, 4, 2), (4, 2, 1)])
def test_what_goes_on_at_a_time_shares_the_memory(monkeypatch, gpus, workers, beside):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: gpus)
    assert beside_each_other(workers) == beside
    assert beside_each_other(sys.maxsize) == 1


# -- what is asked for -----------------------------------------------------------------------


def test_auto_is_together_on_a_gpu_and_alone_on_a_cpu(tmp_path, monkeypatch):
    for there, most in ((True, MEMBERS), (False, 1)):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda there=there: there)
        assert most_together('auto', tmp_path) == most
    assert most_together('5', tmp_path) == 5


@pytest.mark.parametrize('said', ['0', '-1', 'all', '1.5', str(MOST + 1)])
def test_another_number_is_refused(said, tmp_path):
    with pytest.raises(UserError, match='--together must be'):
        most_together(said, tmp_path)


# -- futures ---------------------------------------------------------------------------------


def test_each_run_of_a_job_has_a_future():
    job = Future()
    futures = each_of(job, 2)
    assert not any(future.done() for future in futures) and job_of(futures[0]) is job
    job.set_result([Ended(1), Ended(None, KeyError('lost'), 'where')])
    assert futures[0].result() == 1
    with pytest.raises(KeyError, match='lost') as caught:
        futures[1].result()
    assert isinstance(caught.value.__cause__, Elsewhere) and 'where' in str(caught.value.__cause__)


@pytest.mark.parametrize('number', [1, 3])
def test_a_job_that_dies_is_that_of_all_its_runs(number):
    job = Future()
    futures = each_of(job, number)
    job.set_exception(BrokenExecutor('killed'))
    for future in futures:
        with pytest.raises(BrokenExecutor):
            future.result()
