"""The runs of a study, each with its parents by name."""

import pickle
from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.nodes import ClassifierPruning, GivenClassifier
from tests.study.conftest import PRUNER

STUDIES = Path(__file__).resolve().parents[2] / 'configs' / 'studies'


def keys(study):
    return [run.key for run in runs_of(study)]


def test_demo_expands_to_its_runs():
    study = Study.load(STUDIES / 'demo.py')
    net, det = 'resnet18-w16_shapes', 'faster-rcnn_r18-w16_fpn_shapes'
    expected = set()
    for seed in range(5):
        arms = ('unpruned', 'fine-tune', 'scratch-b')
        expected |= {f'classification/{net}/{arm}/seed{seed}' for arm in arms}
        expected.add(f'pruning/{net}/pruned/seed{seed}')
    expected |= {f'detection/{det}/{arm}/seed0' for arm in ('prune-c', 'scratch-b', 'random')}
    assert set(keys(study)) == expected
    assert len(keys(study)) == len(expected)
    assert study.name == 'demo'


def test_prune_d_brings_the_detector_it_prunes(load):
    pruners = dict(a=PRUNER, b=dict(type='RandomPruner', ratios=0.5))
    classification = dict(pruner=None, pruners=pruners, arms=['unpruned'])
    study = load(seeds=[3], classification=classification, detection=[dict(arms=['prune-d'])])
    runs = {run.key: run for run in runs_of(study)}
    trained = 'detection/det/unpruned/seed3'  # one for both
    assert list(runs).count(trained) == 1
    for variant in 'ab':
        cut = runs[f'detector-pruning/det/{variant}/pruned/seed3']
        assert cut.trained == runs[trained]
        assert cut.classifier == cut.trained.start == runs['classification/net/unpruned/seed3']
        assert cut.pruner == pruners[variant]
        assert runs[f'detection/det/{variant}/prune-d/seed3'].parents == {'start': cut}


@pytest.mark.parametrize(
    'parts, remedy',
    [(dict(rounds=2), 'rounds=1'), (dict(pruner=None, architecture='resnet34-a'), 'a pruner')],
)
def test_prune_d_needs_one_pruning(load, parts, remedy):
    with pytest.raises(UserError, match=f'arm prune-d has .* once: it needs .* with {remedy}'):
        load(classification=dict(arms=['unpruned']) | parts, detection=[dict(arms=['prune-d'])])


def test_a_network_that_is_not_fine_tuned_comes_from_pruning(load):
    plan = dict(arms=['unpruned', 'prune-c'], untuned=True)
    runs = runs_of(load(classification=dict(arms=['unpruned']), detection=[plan], seeds=[2]))
    starts = {run.arm: (run.start.key, run.untuned) for run in runs if run.stage == 'detection'}
    assert starts == {
        'unpruned': ('classification/net/unpruned/seed2', False),
        'prune-c': ('pruning/net/pruned/seed2', True),
    }


@pytest.mark.parametrize('name', ['demo', 'shapes', 'cifar10_resnet56_l1norm'])
def test_parents_come_before_their_children(name):
    seen = set()
    for run in runs_of(Study.load(STUDIES / f'{name}.py')):
        parents = run.parents.values()
        assert {parent.key for parent in parents} <= seen
        assert {parent.seed for parent in parents} <= {run.seed}
        seen.add(run.key)


@pytest.mark.parametrize(
    'arm, parent',
    [
        ('unpruned', 'classification/net/unpruned'),
        ('prune-c', 'classification/net/fine-tune'),
        ('scratch-e', 'classification/net/scratch-e'),
        ('scratch-b', 'classification/net/scratch-b'),
        ('random', 'pruning/net/pruned'),
    ],
)
def test_transfer_arm_takes_its_backbone_from(load, arm, parent):
    runs = runs_of(load(detection=[dict(arms=[arm])], seeds=[4]))
    (run,) = [run for run in runs if run.stage == 'detection']
    assert (run.arm, run.start.key) == (arm, f'{parent}/seed4')


def test_unpruned_runs_even_if_it_is_not_named(load):
    study = load(classification=dict(arms=['scratch-e']), seeds=[0])
    assert [run.arm for run in runs_of(study)] == ['unpruned', 'pruned', 'scratch-e']


def test_a_seed_that_is_named_twice_is_refused(load):
    with pytest.raises(UserError, match='seeds.*1 stands there twice'):
        load(detection=[dict(arms=['random'])], seeds=[0, 1, 1])


def test_the_controls_of_prune_d_start_from_what_it_starts_from(load):
    arms = ['unpruned', 'unpruned-d', 'prune-d', 'scratch-d']
    study = load(classification=dict(arms=['unpruned']), detection=[dict(arms=arms)], seeds=[2])
    runs = {run.arm: run for run in runs_of(study) if run.stage == 'detection'}
    assert runs['unpruned-d'].start == runs['unpruned']
    assert runs['scratch-d'].start == runs['prune-d'].start
    assert runs['prune-d'].start.trained == runs['unpruned']
    assert [run.stage for run in runs_of(study)].count('detector-pruning') == 1


def test_what_an_arm_is_told_of_its_own_is_its_runs_alone(load):
    arms = ['fine-tune', dict(arm='scratch-e', epochs=7, seeds=[1]), 'scratch-b']
    arms += [dict(arm='scratch-e', schedule=2.5), dict(arm='rewind', schedule='scratch-b')]
    runs = runs_of(load(classification=dict(arms=arms)))
    trained = {(run.arm, run.seed): run.settings for run in runs if run.stage == 'classification'}
    assert trained['scratch-e', 1].epochs == 7 and ('scratch-e', 0) not in trained
    assert trained['scratch-e@2.5', 0].schedule == 2.5
    assert trained['rewind', 0].schedule == 'scratch-b'
    assert trained['scratch-b', 0].epochs is None is trained['fine-tune', 1].schedule


def test_a_detector_brings_the_classifier_of_a_seed_that_its_arm_leaves_out(load):
    arms = ['fine-tune', dict(arm='scratch-e', seeds=[0])]
    runs = runs_of(load(classification=dict(arms=arms), detection=[dict(arms=['scratch-e'])]))
    assert [r.seed for r in runs if r.arm == 'scratch-e'] == [0, 0, 1, 1]


def test_a_detector_goes_by_its_name_and_budget(load):
    plans = [dict(), dict(budget='compute'), dict(name='longer', epochs=9)]
    detection = [dict(arms=['prune-c'], **plan) for plan in plans]
    runs = runs_of(load(detection=detection, seeds=[0]))
    keys = [run.key for run in runs if run.stage == 'detection']
    assert keys == [f'detection/{name}/prune-c/seed0' for name in ('det', 'det-compute', 'longer')]


def test_detector_may_take_fewer_seeds(load):
    study = load(detection=[dict(arms=['random'], seeds=[1])])
    assert [run.seed for run in runs_of(study) if run.stage == 'detection'] == [1]


def test_parent_checkpoint_is_of_the_unpruned_run_alone(load):
    study = load(classification=dict(parent='weights.pth'), seeds=[0])
    (given,) = [run for run in runs_of(study) if isinstance(run, GivenClassifier)]
    assert (given.arm, given.checkpoint) == ('unpruned', 'weights.pth')
    assert given.key == 'classification/net/unpruned/seed0'
    cut = next(run for run in runs_of(study) if isinstance(run, ClassifierPruning))
    assert cut.trained == cut.unpruned == given


def test_a_published_architecture_needs_no_parent(load):
    classification = dict(pruner=None, architecture='resnet34-a', arms=['scratch-e'])
    runs = {run.key: run for run in runs_of(load(classification=classification, seeds=[0]))}
    taken = runs['pruning/net/pruned/seed0']
    assert (taken.architecture, taken.parents) == ('resnet34-a', {})
    assert runs['classification/net/scratch-e/seed0'].parents == {'pruned': taken}


def test_a_run_can_be_sent_to_another_process(load):
    for run in runs_of(load(detection=[dict(arms=['prune-d'])], seeds=[0])):
        assert pickle.loads(pickle.dumps(run)) == run
