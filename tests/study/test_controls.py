"""Operating points and controls: what a study adds to what its config names."""

import pytest

from rethink_det.architecture import PrunedArchitecture
from rethink_det.errors import UserError
from rethink_det.study.config import Study
from rethink_det.study.dry_run import comparisons_of
from rethink_det.study.execute import execute_study
from rethink_det.study.graph import models_of, runs_of

L1, RANDOM = (dict(type=f'{name}Pruner') for name in ('L1Norm', 'Random'))
L2 = dict(type='ImportancePruner', importance='l2', ratios=0.5)
SLIM = dict(type='NetworkSlimmingPruner', ratio=0.5)
ARMS = ['fine-tune', 'rewind', 'scratch-e', 'scratch-b']


@pytest.fixture
def load(tiny_config, tmp_path):
    """Reads a study of a tiny classifier."""
    tiny_config(epochs=1).dump(tmp_path / 'net.py')
    (tmp_path / 'det.py').write_text('train_cfg = dict(max_epochs=1)')

    def make(detection=(), seeds=(0,), **classification):
        settings = dict(config='net.py', arms=ARMS, arm_settings=dict(fine_tune_epochs=1))
        parts = dict(seeds=list(seeds), classification=settings | classification)
        parts['detection'] = [dict(config='det.py') | plan for plan in detection]
        (tmp_path / 'study.py').write_text(f'study = {parts!r}')
        return Study.load(tmp_path / 'study.py')

    return make


def trained(study, stage='classification'):
    return {(run.variant, run.arm) for run in runs_of(study) if run.stage == stage and run.variant}


def names(study):
    return list(study.classification.variant_names)


def test_controls_inherit_at_equal_widths_and_share_what_is_drawn_anew(load):
    study = load(pruner=L2, controls=True)
    method, controls = 'importance', ['importance-random', 'importance-l1norm']
    assert names(study) == [method, *controls]
    inheriting = {(one, arm) for one in (method, *controls) for arm in ('fine-tune', 'rewind')}
    scratch = {(method, arm) for arm in ('scratch-e', 'scratch-b')}
    assert trained(study) == inheriting | scratch
    runs = {run.key: run for run in runs_of(study)}
    for name in controls:
        cut = runs[f'pruning/net/{name}/pruned/seed0']
        assert cut.parents.keys() == {'trained', 'unpruned', 'widths'}
        assert cut.widths is not None and cut.widths.key == f'pruning/net/{method}/pruned/seed0'
        assert cut.trained == cut.widths.trained
    (shared,) = (run for run in runs.values() if run.arm == 'scratch-b')
    assert models_of(study, shared) == [f'net/{name}' for name in names(study)]
    judged = comparisons_of(study)
    assert (
        judged['classification', f'net/{controls[0]}'] == judged['classification', f'net/{method}']
    )


def test_controls_of_a_detector_inherit_there_as_well(load):
    arms = ['prune-c', 'prune-d', 'unpruned-d', 'scratch-b', 'scratch-d', 'random']
    study = load(detection=[dict(arms=arms)], pruners=dict(slim=SLIM), controls=True)
    found = trained(study, 'detection')
    for name in ('slim-random', 'slim-l1norm'):
        assert {arm for variant, arm in found if variant == name} == {'prune-c', 'prune-d'}
    cuts = {run.variant: run for run in runs_of(study) if run.stage == 'detector-pruning'}
    assert cuts['slim-random'].widths == cuts['slim']
    assert study.trained_arms['detection', 'det/slim-random'] == ('unpruned', *arms)


def test_no_control_stands_there_twice(load):
    same = dict(type='L1NormPruner', ratios=0.5)
    group = dict(type='ImportancePruner', importance='l1', ratios=0.5)
    assert names(load(pruner=same, controls=True)) == ['l1norm', 'l1norm-random']
    assert names(load(pruner=group, controls=True)) == ['importance', 'importance-random']
    drawn = dict(type='RandomPruner', ratios=0.5, seed=3)
    assert names(load(pruner=drawn, controls=True)) == ['random', 'random-l1norm']
    several = load(pruners=dict(a=same, b=L2, c=L2 | dict(ratios=0.25)), controls=True)
    assert names(several) == ['a', 'a-random', 'b', 'c', 'c-random', 'c-l1norm']
    found = load(pruners=dict(a=SLIM, b=SLIM | dict(ratio=0.25)), controls=True)
    assert len(names(found)) == 6


def test_controls_of_several_widths_follow_their_own_method(load):
    wide, narrow = (L2 | dict(ratios=ratio) for ratio in (0.25, 0.5))
    arms = ['unpruned', 'prune-c', 'random', 'scratch-d']
    study = load(pruners=dict(a=wide, b=narrow), controls=True, detection=[dict(arms=arms)])
    for stage, arm in (('classification', 'scratch-e'), ('detection', 'random')):
        found = [run for run in runs_of(study) if (run.stage, run.arm) == (stage, arm)]
        assert [run.variant for run in found] == ['a', 'b']
        for run in found:
            shown = [model.partition('/')[2] for model in models_of(study, run)]
            assert shown == [run.variant + control for control in ('', '-random', '-l1norm')]


def test_a_seed_draws_its_control_anew(load):
    study = load(pruner=L2, controls=True, seeds=[0, 5], parents=[1])
    cuts = [
        run.pruner
        for run in runs_of(study)
        if run.variant == 'importance-random' and run.stage == 'pruning'
    ]
    assert [cut['seed'] for cut in cuts] == [0, 5]


def test_a_variant_decides_for_itself(load):
    mask = dict(pruner=dict(type='MagnitudePruner', ratio=0.5), controls=False)
    shape = dict(architecture='resnet34-a', arms=['scratch-e'])
    study = load(variants=dict(a=dict(pruner=L2), mask=mask, shape=shape), controls=True)
    assert names(study) == ['a', 'a-random', 'a-l1norm', 'mask', 'shape']


def test_arms_of_a_control_have_the_budgets_of_the_method(load):
    arms = [dict(arm='rewind', epochs=3), dict(arm='rewind', schedule='scratch-b'), 'fine-tune@2e']
    study = load(pruner=L2, controls=True, arms=[*arms, 'scratch-b'])
    plans = [study.classification.of(name).arm_plans for name in names(study)]
    assert list(plans[1]) == ['rewind', 'rewind@scratch-b', 'fine-tune@2e']
    assert {arm: plans[0][arm].budget for arm in plans[1]} == {
        arm: plan.budget for arm, plan in plans[1].items()
    }


def test_every_ratio_is_a_variant_with_controls_of_its_own(load):
    study = load(pruners=dict(l1=L1, slim=dict(type='NetworkSlimmingPruner')), ratios=[0.3, 0.5])
    assert names(study) == ['l1-0.3', 'l1-0.5', 'slim-0.3', 'slim-0.5']
    told = {run.variant: run.pruner for run in runs_of(study) if run.stage == 'pruning'}
    assert told['l1-0.3'] == {**L1, 'ratios': 0.3}
    assert told['slim-0.5'] == dict(type='NetworkSlimmingPruner', ratio=0.5)
    both = load(pruner=L1, ratios=[0.3, 0.5], controls=True)
    assert names(both) == ['l1norm-0.3', 'l1norm-0.3-random', 'l1norm-0.5', 'l1norm-0.5-random']


def test_budgets_are_arms_that_no_verdict_is_about(load):
    study = load(pruner=L1, ratios=[0.5], controls=True, budgets=[0.5, 1, 2], arms=['fine-tune'])
    scratch = ('scratch-e@0.5', 'scratch-e', 'scratch-e@2')
    assert study.classification.of('l1norm-0.5').arms == ('fine-tune', *scratch)
    assert {arm for variant, arm in trained(study) if variant == 'l1norm-0.5-random'} == {
        'fine-tune'
    }
    without = load(pruner=L1, ratios=[0.5], controls=True, arms=['fine-tune', 'scratch-e'])
    assert comparisons_of(study) == comparisons_of(without)
    detector = load(pruner=dict(L1, ratios=0.5), detection=[dict(arms=['prune-c'], budgets=[2])])
    assert detector.detection[0].arms == ('prune-c', 'random@2')


def test_controls_come_out_at_equal_widths(load, tmp_path):
    study = load(pruner=SLIM, controls=True, arms=['fine-tune', 'scratch-e'])
    results = execute_study(study, tmp_path / 'out')
    assert not results.incomplete
    found = {(run.model, run.arm): run for run in results.runs}
    shapes = {
        PrunedArchitecture.load(found[f'net/{name}', 'fine-tune'].architecture_path).shape()
        for name in names(study)
    }
    assert len(shapes) == 1
    digests = {found[f'net/{name}', 'scratch-e'].digest for name in names(study)}
    assert len(digests) == 1  # of one run
    assert len({found[f'net/{name}', 'fine-tune'].digest for name in names(study)}) == 3
    random = found['net/networkslimming-random', 'fine-tune']
    assert random.pruned_metrics.keys() == random.metrics.keys()
    assert found['net/networkslimming', 'scratch-e'].pruned_metrics is None
    assert random.pruner == {'type': 'RandomPruner', 'seed': 0, 'widths_of': 'net/networkslimming'}


@pytest.mark.parametrize(
    'parts, words',
    [
        (
            dict(pruner=dict(type='MagnitudePruner', ratio=0.5)),
            'MagnitudePruner .* masks weights: ',
        ),
        (dict(pruner=dict(type='SparseStructurePruner')), 'removes blocks: leave controls out'),
        (dict(pruner=L2, rounds=2), 'prunes once, and importance in 2 rounds'),
        (dict(pruner=L2, arms=['scratch-e']), 'controls=True adds nothing: of importance no arm'),
        (dict(architecture='resnet34-a', arms=['scratch-e']), 'controls=True adds nothing'),
        (dict(pruner=L2, controls='yes'), "controls' is 'yes', must be true or false"),
    ],
)
def test_controls_that_make_no_sense_are_refused(load, parts, words):
    with pytest.raises(UserError, match=words):
        load(**dict(controls=True) | parts)


@pytest.mark.parametrize(
    'parts, words',
    [
        (dict(pruner=L2, ratios=[0.3]), 'importance says ratios already'),
        (dict(pruner=dict(L1, target='resnet34-a'), ratios=[0.3]), 'says target already'),
        (dict(pruner=dict(type='SparseStructurePruner'), ratios=[0.3]), 'has no ratio to set'),
        (dict(pruner=dict(type='L1NormPruner', macs=0.5), ratios=[0.3]), 'says macs already'),
        (dict(architecture='resnet34-a', ratios=[0.3]), 'the study has no pruner, and so no'),
        (dict(pruner=L1, ratios=[0.3, 0.3]), 'stands there twice'),
        (dict(pruner=L1, ratios=0.3), "ratios' is 0.3, must be a list"),
        (dict(pruner=L1, ratios=[1.5]), r'in \[0, 1\)|ratios'),
        (dict(pruner=L1, ratios=[]), 'ratios or a target'),
        (dict(pruner=L2, budgets=[0]), r"budgets\[0\]' is 0, must be a finite number of at least"),
        (dict(pruner=L2, budgets=[1, 1.0]), 'stands there twice'),
        (dict(pruner=L2, budgets=2), "budgets' is 2, must be a list"),
        (dict(pruners=dict(a=L2), variants=dict(b=dict(pruner=L1, widths_of='c'))), 'there are a'),
        (dict(variants=dict(b=dict(pruner=L2, widths_of='b'))), 'there are none'),
        (
            dict(pruners=dict(a=L2), variants=dict(b=dict(pruner=SLIM, widths_of='a'))),
            'takes a target',
        ),
    ],
)
def test_points_and_widths_that_are_none_are_refused(load, parts, words):
    with pytest.raises(UserError, match=words):
        load(**parts)


def test_a_control_is_not_run_without_its_method(load):
    study = load(pruner=L2, controls=True)
    with pytest.raises(
        UserError, match='importance-random has the widths of importance: name both'
    ):
        study.restricted(['importance-random'])
    assert names(study.restricted(['importance', 'importance-random']))[1] == 'importance-random'


def test_mistakes_in_what_the_shipped_studies_ask_for_are_refused():
    with pytest.raises(UserError, match="controls' is 'both', must be true or false"):
        Study.load('shapes', {'study.classification.controls': 'both'})
    with pytest.raises(UserError, match='budget'):
        Study.load('shapes', {'study.detection.0.budget': 'flops'})
    with pytest.raises(UserError, match='stands there twice'):
        Study.load('curve', {'study.classification.ratios': [0.3, 0.3]})
    with pytest.raises(UserError, match=r'classification.epochs is about .*config'):
        Study.load('raccoon', {'study.classification.epochs': 3})
