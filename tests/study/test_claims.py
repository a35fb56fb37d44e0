"""What a study settles before its runs: the comparison it tests first, and its margin."""

import json
from pathlib import Path

import pytest

from rethink_det.arms import STAGES
from rethink_det.errors import UserError
from rethink_det.report import StudyResults
from rethink_det.report.comparison import Comparison
from rethink_det.study.config import Study
from rethink_det.study.display import Display
from rethink_det.study.execute import execute_study
from rethink_det.study.graph import models_of, runs_of
from tests.study.conftest import PRUNER

STUDIES = Path(__file__).resolve().parents[2] / 'configs' / 'studies'
SHIPPED = [
    'demo.py',
    'cifar10_small.py',
    'paper/cifar10_resnet56.py',
    pytest.param('detection/coco_r50_thinet.py', marks=pytest.mark.slow),
]
TOP1, BOX, MASK, VOC = 'accuracy/top1', 'coco/bbox_mAP', 'coco/segm_mAP', 'pascal_voc/mAP'
FIRST = Comparison('classification', 'net', 'scratch-b', 'fine-tune', TOP1)


def primary(study):
    found = study.primary_comparison()
    return found and (found.stage, found.model, found.arm, found.baseline, found.metric)


def test_by_default_scratch_b_against_fine_tuning_of_the_first_classifier(load):
    assert load(detection=[dict()]).primary_comparison() == FIRST


def test_the_first_candidate_that_is_trained_stands_in_for_scratch_b(load):
    study = load(classification=dict(arms=['fine-tune', 'scratch-e']))
    assert primary(study) == ('classification', 'net', 'scratch-e', 'fine-tune', TOP1)


def test_of_variants_the_first_that_can_be_compared(load):
    tuned, both = dict(arms=['fine-tune']), dict(arms=['fine-tune', 'scratch-b'])
    plan = dict(pruner=None, pruners=dict(a=PRUNER, b=PRUNER), variants=dict(a=tuned, b=both))
    study = load(classification=plan)
    assert study.primary_comparison().model == 'net/b'
    assert study.restricted(['b']).primary_comparison().model == 'net/b'
    assert study.restricted(['a']).primary_comparison() is None


@pytest.mark.parametrize(
    'evaluator, metric',
    [
        ('', BOX),
        ("val_evaluator = dict(type='CocoMetric', metric=['bbox', 'segm'])", BOX),
        ("val_evaluator = [dict(type='CocoMetric', metric='segm')]", MASK),
        ("val_evaluator = dict(type='rethink_det.VOCMetric', metric='mAP')", VOC),
    ],
)
def test_of_detectors_alone_the_first_ones_by_the_metric_that_they_are_evaluated_by(
    load, tmp_path, evaluator, metric
):
    load()  # writes the configs
    (tmp_path / 'my-det.py').write_text(f'train_cfg = dict(max_epochs=1)\n{evaluator}\n')
    plan = dict(pruner=None, architecture='resnet34-a', arms=['scratch-e', 'scratch-b'])
    assert load(classification=plan).primary_comparison() is None
    tuned = dict(config='my-det.py', untuned=True, arms=['prune-c', 'random'])
    plan = dict(arms=['scratch-b'])
    study = load(classification=plan, detection=[tuned, dict(arms=['scratch-b'])])
    assert study.primary_comparison() is None
    arms = dict(config='my-det.py', arms=['prune-c', 'scratch-b'], untuned=True)
    study = load(classification=plan, detection=[arms])
    assert primary(study) == ('detection', 'my-det', 'scratch-b', 'prune-c', metric)


def test_a_study_may_name_any_two_arms_that_it_trains(load):
    named = dict(arm='scratch-e', baseline='unpruned')
    assert primary(load(primary=named)) == (
        'classification', 'net', 'scratch-e', 'unpruned', TOP1,
    )  # fmt: skip
    named = dict(stage='detection', arm='random', metric=MASK)
    study = load(primary=named, detection=[{}])
    assert primary(study) == ('detection', 'det', 'random', 'prune-c', MASK)
    study = load({'study.primary.model': 'det'}, detection=[{}])
    assert primary(study) == ('detection', 'det', 'scratch-b', 'prune-c', BOX)


def test_a_part_of_a_study_keeps_the_comparison_that_the_whole_one_names(load):
    plan = dict(pruner=None, pruners=dict(a=PRUNER, b=PRUNER))
    study = load(classification=plan, primary=dict(model='net/a'))
    assert study.restricted(['b']).primary_comparison().model == 'net/a'


@pytest.mark.parametrize(
    'named, words',
    [
        ('scratch-b', "'study.primary' is 'scratch-b', must be a dict"),
        (dict(arms='x'), "study.primary: unknown key 'arms'; valid are stage, model, arm"),
        (dict(stage='detection'), "stage 'detection' is none of classification"),
        (dict(stage=['classification']), r"'stage' is \['classification'\], must be a text"),
        (dict(model='nett'), "model 'nett' is none of net"),
        (dict(arm='lottery'), "with arm='lottery'; trained are classification/net: unpruned, fine"),
        (dict(arm='scratch-z'), "with arm='scratch-z'; trained are"),
        (dict(baseline='rewound'), "with baseline='rewound'; trained are"),
        (dict(arm='fine-tune'), "no two arms to compare with arm='fine-tune'"),
        (dict(metric='accuracy/top5'), "metric 'accuracy/top5' is none of accuracy/top1"),
        (dict(metric=BOX), f"metric '{BOX}' is none of accuracy/top1"),
    ],
)
def test_a_comparison_that_the_study_does_not_make_is_refused(load, named, words):
    with pytest.raises(UserError, match=words):
        load(primary=named)


def test_margins_are_in_points_and_become_those_of_the_metric(load):
    assert load().margin == {}
    assert load(margin=0.5).margin == {TOP1: 0.5}
    study = load({'study.margin': 2}, detection=[{}])
    assert study.margin == {TOP1: 2, BOX: 0.02, MASK: 0.02, VOC: 0.02}
    assert load(margin={BOX: 1.5}, detection=[{}]).margin == {BOX: 0.015}


@pytest.mark.parametrize(
    'margin, words',
    [
        (0, 'study.margin must be above 0, got 0'),
        (-0.5, 'must be above 0, got -0.5'),
        ('0.5', "'study.margin' is '0.5', must be a finite number"),
        (True, "'study.margin' is True, must be a finite number"),
        ({TOP1: 0}, 'must be above 0'),
        ({BOX: 1}, f"unknown metric '{BOX}'; valid are accuracy/top1"),
    ],
)
def test_margins_that_make_no_sense_are_refused(load, margin, words):
    with pytest.raises(UserError, match=words):
        load(margin=margin)


def test_a_margin_without_end_is_refused(load):
    with pytest.raises(UserError, match="'study.margin' is inf, must be a finite number"):
        load({'study.margin': float('inf')})


@pytest.mark.parametrize('path', SHIPPED)
def test_what_a_study_says_that_it_trains_is_what_its_runs_train(path):
    study = Study.load(STUDIES / path)
    found = {}
    for run in runs_of(study):
        if run.stage in STAGES and not run.round:
            for model in models_of(study, run):
                found.setdefault((run.stage, model), set()).add(run.arm)
    assert {place: set(arms) for place, arms in study.trained_arms.items()} == found
    first = study.primary_comparison()
    assert first is None or {first.arm, first.baseline} <= found[first.stage, first.model]


def test_claims_stand_in_the_results_before_any_run_and_change_none(study, tmp_path, monkeypatch):
    seen, start = [], Display.start

    def looking(self, run):
        seen.append(json.loads((tmp_path / 'results.json').read_text()))
        start(self, run)

    monkeypatch.setattr(Display, 'start', looking)
    plan = study(options={'study.margin': 1.5, 'study.primary.baseline': 'unpruned'})
    first = execute_study(plan, tmp_path)
    named = dict(stage='classification', model='net', arm='scratch-e', baseline='unpruned')
    assert seen[0]['primary'] == named | {'metric': TOP1}
    assert seen[0]['margin'] == {TOP1: 1.5}
    assert {run['status'] for run in seen[0]['runs']} == {'missing'}
    read = StudyResults.read(tmp_path)
    assert (read.primary, read.margin) == (plan.primary, plan.margin)
    again = execute_study(study(), tmp_path)
    assert [run.identity for run in again.runs] == [run.identity for run in first.runs]
    assert again.margin == {} and again.primary.baseline == 'fine-tune'
