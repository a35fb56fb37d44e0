"""Studies of detectors alone: what they plan, and what they refuse for lack of a classifier."""

import pytest
import torch

from rethink_det.errors import UserError
from rethink_det.study.dry_run import comparisons_of, dry_run
from rethink_det.study.graph import runs_of

PARENT = dict(config='', parent='given.pth')
THINET = dict(type='ThiNetPruner', ratios=0.5)
ALONE = ['unpruned', 'unpruned-d', 'prune-d', 'scratch-d', 'random']


def test_it_trains_detectors_alone(load):
    study = load(seeds=[0], classification=PARENT, detection=[dict(arms=ALONE)])
    runs = {run.key: run for run in runs_of(study)}
    given = runs['classification/given/unpruned/seed0']
    assert (given.evaluated, given.compared) == (False, False)
    trained = [run.arm for run in runs.values() if run.stage == 'detection']
    assert sorted(trained) == sorted(ALONE)
    assert list(study.trained_arms) == [('detection', 'det')] == list(comparisons_of(study))
    assert str(study.primary_comparison()).startswith('Scratch-D against Prune-D')


@pytest.mark.parametrize(
    'arms, evaluated, compared',
    [([], False, False), (['unpruned'], True, False), (['fine-tune'], True, True)],
)
def test_a_given_parent_is_evaluated_where_that_is_asked_for(load, arms, evaluated, compared):
    plan = dict(parent='given.pth', arms=arms)
    study = load(seeds=[0], classification=plan, detection=[dict(arms=['prune-d'])])
    (given,) = [run for run in runs_of(study) if (run.arm, run.stage[0]) == ('unpruned', 'c')]
    assert (given.evaluated, given.compared) == (evaluated, compared)


def test_a_published_shape_waits_for_no_classifier(load):
    plan = dict(config='', pruner=None, architecture='resnet34-a')
    runs = runs_of(load(seeds=[0], classification=plan, detection=[dict(arms=['random'])]))
    assert [run.key for run in runs] == [
        'pruning/resnet34-a/pruned/seed0',
        'detection/det/random/seed0',
    ]
    owned = dict(pruner=None, architecture='resnet34-a', arms=[])
    runs = runs_of(load(seeds=[0], classification=owned, detection=[dict(arms=['random'])]))
    assert [run.stage for run in runs] == ['pruning', 'detection']


@pytest.mark.parametrize(
    'classification, arms, words',
    [
        (dict(config=''), ['random'], "needs the config .* or parent='....pth'"),
        (PARENT, ['prune-c'], 'prune-c needs .* fine-tune, which is trained by .*untuned=True'),
        (
            PARENT,
            ['scratch-b'],
            'leave scratch-b out of .* there are .*scratch-d, random',
        ),
        (PARENT | dict(arms=['scratch-e']), ['random'], 'arms: scratch-e trains a classifier'),
        (PARENT | dict(rounds=2), ['random'], 'rounds=2 trains a classifier'),
        (PARENT | dict(epochs=3), ['random'], 'classification.epochs is about .*config'),
        (PARENT | dict(parent_epochs=3), ['random'], 'parent_epochs is about .*config'),
        (dict(config='', parents=[3, 'a.pth']), ['random'], '3 is to be trained, which needs'),
        (dict(base='resnet18'), ['random'], 'base says what a given parent is, and none is'),
        (PARENT | dict(pruner=THINET), ['random'], 'ThiNetPruner leaves .* looks at images'),
        (
            PARENT | dict(pruner=THINET),
            ['random'],
            'there is no study.classification.config. .* or prune-d and scratch-d, whose detector',
        ),
        (
            dict(parent='given.pth', arms=[], pruner=THINET),
            ['random'],
            'looks at images: .*',
        ),
        (
            dict(config='', pruner=None, architecture='resnet34-a'),
            ['unpruned'],
            'unpruned needs the unpruned classifier: give study.classification.parent',
        ),
    ],
)
def test_what_needs_a_classifier_is_refused_with_a_remedy(load, classification, arms, words):
    with pytest.raises(UserError, match=words):
        load(classification=classification, detection=[dict(arms=arms)])


@pytest.mark.parametrize('arms', [['prune-d', 'scratch-d'], ['unpruned', 'unpruned-d']])
def test_a_pruner_that_looks_at_images_has_those_of_the_detector(load, arms):
    plan = PARENT | dict(pruner=THINET)
    assert runs_of(load(classification=plan, detection=[dict(arms=arms)]))


def test_what_is_given_is_looked_at_by_a_dry_run(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = load(classification=PARENT, detection=[dict(arms=['random'])])
    with pytest.raises(UserError, match='given.pth does not exist'):
        dry_run(study)
    torch.save({'a.weight': torch.ones(3)}, tmp_path / 'given.pth')
    with pytest.raises(UserError, match='In a study, --base is study.classification.base'):
        dry_run(load(classification=PARENT, detection=[dict(arms=['random'])]))
