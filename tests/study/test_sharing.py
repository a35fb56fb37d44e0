"""Runs that are the same are planned once, and stand wherever they belong."""

from collections import Counter

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import digest
from rethink_det.arms import STAGES
from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.graph import groups_of, runs_of
from tests.study.conftest import PRUNER

L1, RANDOM = PRUNER, dict(type='RandomPruner', ratios={'*': 0.5})
TAYLOR = dict(type='ImportancePruner', importance='taylor', ratios=0.5)
ARMS = ['fine-tune', 'scratch-e']


def keys(study, arm):
    """Of the runs of an arm, without their seed."""
    return [run.key.rpartition('/')[0] for run in runs_of(study) if run.arm == arm]


def two(load, other, detection=(), **more):
    """A study whose variants are an L1 pruner and another."""
    plan = dict(pruner=None, pruners=dict(l1=L1, b=other), arms=ARMS, **more)
    return load(seeds=[0], classification=plan, detection=detection)


@pytest.mark.parametrize('other', [RANDOM, TAYLOR])
def test_what_is_drawn_anew_on_the_same_widths_is_one_run(load, other):
    study = two(load, other, [dict(arms=['random', 'scratch-e', 'scratch-d', 'prune-d'])])
    shown = groups_of(study)
    for arm in ('scratch-e', 'random', 'scratch-d'):
        for run in (run for run in runs_of(study) if run.arm == arm):
            name = run.model.partition('/')[0]
            assert (run.variant, shown(run)) == ('l1', [f'{name}/l1', f'{name}/b'])
    for arm in ('fine-tune', 'prune-d'):
        assert len(keys(study, arm)) == 2
    count = Counter(run.key for run in runs_of(study))
    assert set(count.values()) == {1} and len(keys(study, 'scratch-e')) == 2  # one a stage


@pytest.mark.parametrize(
    'other',
    [
        dict(type='L1NormPruner', ratios=0.4),
        dict(type='L1NormPruner', ratios=0.5, skip=['layer1*']),
        dict(type='NetworkSlimmingPruner', ratio=0.5),
        dict(type='RegressionPruner', ratios=0.5),
    ],
)
def test_other_widths_or_such_as_weights_tell_are_runs_of_their_own(load, other):
    study = two(load, other, [dict(arms=['random'])])
    assert len(keys(study, 'scratch-e')) == len(keys(study, 'random')) == 2


def test_a_variant_with_a_budget_of_its_own_has_a_run_of_its_own(load):
    own = dict(pruner=RANDOM, arms=['fine-tune', dict(arm='scratch-e', epochs=3)])
    plan = dict(pruner=None, variants=dict(a=dict(pruner=L1), b=own), arms=ARMS)
    assert len(keys(load(classification=plan, seeds=[0]), 'scratch-e')) == 2


def test_detectors_that_two_plans_have_alike_are_one_run(load):
    plans = [dict(arms=['unpruned', 'random', 'prune-d']), dict(budget='compute', arms=['prune-d'])]
    study = load(detection=plans, classification=dict(arms=['unpruned']), seeds=[0])
    assert keys(study, 'unpruned')[1:] == ['detection/det/unpruned']
    assert keys(study, 'prune-d') == ['detection/det/prune-d', 'detection/det-compute/prune-d']
    stages = Counter(run.stage for run in runs_of(study))
    assert stages['detector-pruning'] == 1
    shown = {run.key: groups_of(study)(run) for run in runs_of(study)}
    assert shown['detection/det/unpruned/seed0'] == ['det', 'det-compute']
    longer = load(
        detection=[plans[0], plans[1] | dict(epochs=7)],
        classification=dict(arms=['unpruned']),
        seeds=[0],
    )
    assert len(keys(longer, 'unpruned')) == 3


def test_every_group_has_every_arm_that_it_says(load):
    study = two(
        load, RANDOM, [dict(arms=['random', 'prune-d']), dict(name='again', arms=['prune-c'])]
    )
    shown, found = groups_of(study), {}
    for run in runs_of(study):
        for model in shown(run) if run.stage in STAGES else ():
            found.setdefault((run.stage, model), []).append(run.arm)
    assert {place: sorted(arms) for place, arms in found.items()} == {
        place: sorted(arms) for place, arms in study.trained_arms.items()
    }


def test_fresh_weights_follow_from_the_widths_alone():
    base = PrunedArchitecture.load('resnet56-a')
    drawn = set()
    for kept in ((0, 1, 2), (3, 7, 11), 3):
        torch.manual_seed(4)
        shape = PrunedArchitecture(
            base.backbone, base.head, base.input_shape, channels={'layer1.0.conv1': kept}
        )
        drawn.add(digest(shape.build_network().state_dict()))
    assert len(drawn) == 1


def test_a_restricted_study_keeps_its_own_and_an_unknown_variant_is_refused(load):
    study = two(load, RANDOM)
    assert keys(study.restricted(['b']), 'scratch-e') == ['classification/net/b/scratch-e']
    with pytest.raises(UserError, match="has no variant 'c'; its variants are l1, b"):
        study.restricted(['c'])


def test_shipped_studies_plan_nothing_twice():
    runs = runs_of(Study.load('shapes'))
    assert len({run.key for run in runs}) == len(runs)
