"""Several parents crossed with the seeds of a study, and one parent a seed as before."""

from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report import StudyResults
from rethink_det.study.execute import execute_study
from rethink_det.study.graph import runs_of
from rethink_det.study.nodes import GivenClassifier
from rethink_det.study.parents import name_of
from rethink_det.study.run import execute
from tests.study.conftest import PRUNER


def by_key(study):
    return {run.key: run for run in runs_of(study)}


def test_every_seed_prunes_and_trains_from_every_parent(load):
    plan = dict(parents=[7, 'nets/a.pth'], arms=['fine-tune', 'scratch-b'])
    runs = by_key(load(classification=plan, seeds=[0, 1]))
    expected = {'classification/net/unpruned/seed7', 'classification/net/unpruned/parent-a/seed0'}
    for parent in ('parent-7', 'parent-a'):
        for seed in (0, 1):
            expected.add(f'pruning/net/pruned/{parent}/seed{seed}')
            arms = ('fine-tune', 'scratch-b')
            expected |= {f'classification/net/{arm}/{parent}/seed{seed}' for arm in arms}
    assert set(runs) == expected
    child = runs['classification/net/scratch-b/parent-a/seed1']
    assert (child.parent, child.seed) == ('a', 1)
    assert child.origin == runs['classification/net/unpruned/parent-a/seed0']
    assert (child.origin.checkpoint, child.origin.parent) == ('nets/a.pth', 'a')
    trained = runs['classification/net/fine-tune/parent-7/seed1'].origin
    assert (trained.key, trained.seed) == ('classification/net/unpruned/seed7', 7)


def test_a_parent_of_a_seed_is_that_of_a_study_without_parents(load):
    crossed, nested = (load(classification=plan, seeds=[3]) for plan in (dict(parents=[3]), {}))
    key = 'classification/net/unpruned/seed3'
    assert replace(by_key(crossed)[key], parent='') == by_key(nested)[key]


def test_detectors_variants_and_rounds_are_crossed_too(load):
    plan = dict(parents=[0, 1], pruner=None, pruners=dict(m=PRUNER, n=PRUNER), rounds=2)
    arms = ['unpruned', 'prune-c', 'scratch-b', 'random']
    study = load(classification=plan, detection=[dict(arms=arms, seeds=[2])], seeds=[2, 4])
    runs = by_key(study)
    starts = {key: run.start.key for key, run in runs.items() if run.stage == 'detection'}
    assert len(starts) == 2 * (1 + 2 * 3)
    assert starts['detection/det/unpruned/parent-1/seed2'] == 'classification/net/unpruned/seed1'
    source = 'classification/net/n/scratch-b/parent-1/seed2'
    assert starts['detection/det/n/scratch-b/parent-1/seed2'] == source
    cut = runs['pruning/net/m/pruned/parent-1/seed4']
    assert cut.trained.key == 'classification/net/m/fine-tune-round1/parent-1/seed4'
    assert cut.unpruned.key == 'classification/net/unpruned/seed1'


def test_all_parents_of_a_run_descend_from_its_own(load):
    plan = dict(parents=['a.pth', 1], arms=['unpruned', 'fine-tune'])
    detection = [dict(arms=['unpruned', 'prune-c', 'prune-d', 'random'])]
    runs = runs_of(load(classification=plan, detection=detection))
    keys = {run.key for run in runs}
    assert len(keys) == len(runs)
    for run in runs:
        assert all(parent.origin == run.origin for parent in run.parents.values())
        assert run.origin.key in keys and run.origin.parent == run.parent


def test_parents_come_before_their_children(load):
    seen = set()
    for run in runs_of(load(classification=dict(parents=[5, 6]), detection=[{}])):
        assert {parent.key for parent in run.parents.values()} <= seen
        seen.add(run.key)


def test_without_parents_each_seed_has_its_own(load):
    runs = runs_of(load(detection=[dict(arms=['prune-d', 'random'])], seeds=[0, 1]))
    assert {run.parent for run in runs} == {''}
    assert {(run.seed, run.origin.seed) for run in runs} == {(0, 0), (1, 1)}


def test_a_shape_from_elsewhere_has_no_parent(load):
    plan = dict(pruner=None, architecture='resnet34-a', arms=['unpruned', 'scratch-e'])
    runs = by_key(load(classification=plan, seeds=[0], detection=[dict(arms=['random'])]))
    origins = {run.arm: run.origin for run in runs.values() if run.stage == 'classification'}
    assert origins['scratch-e'] is None
    assert origins['unpruned'] is runs['classification/net/unpruned/seed0']
    assert runs['detection/det/random/seed0'].origin is None


def test_seeds_and_files_may_be_named_on_the_command_line(load):
    study = load({'study.classification.parents': [0, 'x/best.top1.pth']})
    assert study.classification.named_parents == {'0': 0, 'best.top1': 'x/best.top1.pth'}
    assert study.classification.given_parents == ['x/best.top1.pth']
    assert name_of('x/best.top1.pth') == 'best.top1'


@pytest.mark.parametrize(
    'parts, words',
    [
        (dict(parents=3), "parents' is 3, must be a list"),
        (dict(parents='a.pth'), "parents' is 'a.pth', must be a list"),
        (dict(parents=[True]), r"parents\[0\]' is True, must be a whole number of .* or a text"),
        (dict(parents=[0.5]), r"parents\[0\]' is 0.5, must be a whole number"),
        (dict(parents=['my net.pth']), "name of 'my net.pth' becomes a folder, .* letters"),
        (dict(parents=['']), "name of '' becomes a folder"),
        (dict(parents=['a/e.pth', 'b/e.pth']), "two are named 'e'; give one of the files"),
        (dict(parents=[3, '3.pth']), "two are named '3'"),
        (dict(parents=[3, 3]), "two are named '3'"),
        (dict(parents=[3], parent='a.pth'), "in place of parent='a.pth': leave one"),
        (
            dict(parents=[3], pruner=None, architecture='resnet34-a', arms=['scratch-e']),
            'a published architecture has no parent',
        ),
        (dict(parent_epochs=3), 'is for a given parent, and the study trains its own'),
        (dict(parents=[0], parent_epochs=3), 'is for a given parent'),
        (dict(parent='a.pth', parent_epochs=0), 'must be a finite number of at least 1e-06, got 0'),
        (dict(parent='a.pth', parent_epochs='3'), "parent_epochs' is '3', must be a finite number"),
        (
            dict(parents=['a.pth'], parent_epochs=True),
            "parent_epochs' is True, must be a finite number",
        ),
    ],
)
def test_parents_that_make_no_sense_are_refused(load, parts, words):
    with pytest.raises(UserError, match=words):
        load(classification=parts)


def test_a_variant_has_no_parents_of_its_own(load):
    own = dict(pruner=None, variants=dict(a=dict(pruner=PRUNER, parents=[0])))
    with pytest.raises(UserError, match="variants.a: unknown key 'parents'; valid"):
        load(classification=own)


def test_a_crossed_study_is_done_and_every_run_says_its_parent(study, tmp_path):
    trained = execute_study(study(arms=['unpruned'], seeds=[5]), tmp_path / 'first').runs[0]
    given = tmp_path / 'given.pth'
    given.write_bytes(trained.checkpoint_path.read_bytes())
    parents = {'study.classification.parents': [5, str(given)]}
    plan = study(seeds=[0, 1], arms=['scratch-e'], options=parents)
    results = execute_study(plan, tmp_path / 'work')
    assert not results.incomplete
    read = StudyResults.read(tmp_path / 'work')
    assert read.runs == results.runs
    runs = {(run.arm, run.parent, run.seed): run for run in read.runs}
    assert len(runs) == len(read.runs) == 2 * (1 + 2)
    assert runs['unpruned', '5', 5].digest == trained.digest  # the parent of seed 5 as ever
    for run in read.runs:
        assert run.parent_given == (run.parent == 'given')
        assert run.parent_digest == trained.digest  # both are the same network here
        assert run.parent in run.folder or (run.arm, run.seed) == ('unpruned', 5)
    row = next(row for row in read.summary if row.arm == 'scratch-e')
    assert set(row.values) == {'5/0', '5/1', 'given/0', 'given/1'}
    assert len({run.digest for run in read.runs if run.arm == 'scratch-e'}) == 2  # by seed alone


def test_a_parent_trained_before_is_taken_into_a_crossed_study(study, tmp_path):
    work = tmp_path / 'work'
    before = execute_study(study(seeds=[2], arms=['unpruned']), work).runs[0]
    plan = study(seeds=[0], arms=['scratch-e'], options={'study.classification.parents': [2]})
    after = {run.arm: run for run in execute_study(plan, work).runs}
    assert (after['unpruned'].folder, after['unpruned'].parent) == (before.folder, '2')
    assert before.parent is None and before.parent_digest == before.digest


@pytest.mark.parametrize('arm', ['unpruned', 'pruned', 'fine-tune'])
def test_a_failed_run_says_its_parent_as_far_as_there_is_one(study, tmp_path, monkeypatch, arm):
    def failing(run, *more, **words):
        if run.arm == arm:
            raise RuntimeError('the disk is full')
        return execute(run, *more, **words)

    monkeypatch.setattr('rethink_det.study.execute.execute', failing)
    results = execute_study(study(), tmp_path)
    unpruned = next(run for run in results.runs if run.arm == 'unpruned')
    assert unpruned.parent_digest == unpruned.digest
    lost = {run.arm: run for run in results.incomplete}
    assert 'the disk is full' in lost[arm].error
    assert {run.parent_digest for run in lost.values()} == {unpruned.digest}
    assert (unpruned.digest is None) == (arm == 'unpruned')
    assert {run.parent_given for run in results.runs} == {False}


def test_runs_of_a_given_parent_share_it(study, tmp_path):
    trained = execute_study(study(arms=['unpruned']), tmp_path / 'first').runs[0]
    given = study(seeds=[0, 1], parent=str(trained.checkpoint_path), arms=['unpruned'])
    runs = execute_study(given, tmp_path / 'work').runs
    facts = {(run.parent, run.parent_digest, run.parent_given) for run in runs}
    assert facts == {(None, trained.digest, True)}
    kinds = {type(run) for run in runs_of(given) if run.arm == 'unpruned'}
    assert kinds == {GivenClassifier}


def test_a_parent_that_is_missing_is_refused_before_anything_is_started(study, tmp_path):
    plan = study(options={'study.classification.parents': [0, 'nowhere.pth']})
    with pytest.raises(UserError, match='nowhere.pth does not exist'):
        execute_study(plan, tmp_path / 'work')
    assert not (tmp_path / 'work').exists()


def test_the_epochs_of_a_given_parent_are_charged_without_training_again(study, tmp_path):
    parent = execute_study(study(arms=['unpruned']), tmp_path / 'first').runs[0]
    work = tmp_path / 'work'
    unknown = execute_study(study(parent=str(parent.checkpoint_path)), work).runs
    told = study(
        parent=str(parent.checkpoint_path), options={'study.classification.parent_epochs': 4}
    )
    known = {run.arm: run for run in execute_study(told, work).runs}
    epoch = parent.train_macs / parent.epochs
    assert known['unpruned'].total_train_macs == 4 * epoch
    assert (known['unpruned'].epochs, known['unpruned'].train_macs) == (4, None)
    tuned = known['fine-tune']
    assert tuned.total_train_macs == tuned.train_macs + 4 * epoch
    assert known['scratch-e'].total_train_macs == known['scratch-e'].train_macs
    before = {run.arm: run for run in unknown}
    assert before['fine-tune'].total_train_macs is None
    assert tuned.folder == before['fine-tune'].folder
    untold = study(parent=str(parent.checkpoint_path))
    again = {run.arm: run for run in execute_study(untold, work).runs}
    assert again['fine-tune'].total_train_macs is again['unpruned'].total_train_macs is None
