"""The plan of a study as text: its runs, and what they will be able to find."""

from collections import Counter

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult, StudyResults, judge
from rethink_det.report.planning import planned
from rethink_det.study.config import Study
from rethink_det.study.dry_run import comparisons_of, dry_run, repetitions_of
from rethink_det.study.execute import execute_study
from tests.checkpoints import checkpoint
from tests.study.conftest import PRUNER

CLASSIFIER, DETECTOR = ('classification', 'net'), ('detection', 'det')


def told(study):
    """What is said below the runs."""
    return [line for line in dry_run(study).splitlines()[1:] if not line.startswith('  ')]


def test_it_names_every_run_and_its_parents(study):
    lines = dry_run(study()).splitlines()
    assert lines[0] == 'study: 4 runs'
    assert lines[4].split('  after ')[1] == 'pruning/net/pruned/seed0'


def test_it_says_what_is_judged_first_and_what_does_not_matter(load):
    lines = told(load(seeds=[0, 1, 2]))
    assert lines[0].startswith('3 comparisons are judged; ')
    assert lines[1] == (
        'Primary: Scratch-B against fine-tuning (classification, net), by accuracy/top1; the '
        'others are exploratory.'
    )
    assert lines[2].startswith('Margin: none is named (study.margin); ')
    assert lines[3] == 'Repetitions: 3 seeds, each with a parent of its own.'
    first, others = (f'{x:.1f}' for x in vars(planned(2, 3, margin=True)).values())
    assert f': {first} in the primary comparison, {others} in the first of' in lines[4]
    assert len(lines) == 5


def test_a_named_margin_is_told_in_points(load):
    study = load(margin={'coco/bbox_mAP': 0.5, 'accuracy/top1': 1}, detection=[{}])
    expected = 'Margin: 0.5 points of coco/bbox_mAP, 1 points of accuracy/top1.'
    assert expected in told(study)


@pytest.mark.parametrize(
    'plan, words',
    [
        (dict(parents=[4, 5, 6]), '3 parents, each with 2 seeds, which are averaged'),
        (dict(parents=[4]), '2 seeds of one parent, so that claims are about this parent alone'),
        (dict(parent='a.pth'), '2 seeds of one parent'),
    ],
)
def test_it_says_over_what_is_repeated(load, cifar, tmp_path, plan, words):
    given = cifar()
    checkpoint(given.build_network().state_dict(), given, 'unpruned').write(tmp_path / 'a.pth')
    (line,) = [line for line in told(load(classification=plan)) if line.startswith('Repet')]
    assert words in line


@pytest.mark.parametrize(
    'plan, words',
    [
        (dict(parent='gone.pth'), 'gone.pth does not exist'),
        (dict(parents=[0, 'gone.pth']), 'gone.pth does not exist'),
        (dict(pruner=None, pruned='gone.pth', arms=[]), 'gone.pth does not exist'),
    ],
)
def test_a_given_network_that_is_not_there_is_refused_before_anything_runs(load, plan, words):
    with pytest.raises(UserError, match=words):
        dry_run(load(classification=plan))


def test_what_is_repeated_are_parents_if_there_are_several(load):
    detection = [dict(seeds=[0])]
    named = dict(parents=[4, 5, 6])
    assert repetitions_of(load(detection=detection)) == {CLASSIFIER: 2, DETECTOR: 1}
    crossed = load(classification=named, detection=detection)
    assert repetitions_of(crossed) == {CLASSIFIER: 3, DETECTOR: 3}
    assert repetitions_of(load(classification=dict(parents=[4]))) == {CLASSIFIER: 2}


def test_few_repetitions_are_warned_of_and_one_finds_nothing_of_the_method(load):
    lines = told(load(seeds=[0, 1], detection=[dict(seeds=[0])]))
    warnings = [line for line in lines if line.startswith('Warning')]
    assert warnings == [
        'Warning: fewer than 3 repetitions, 1, of detection/det; claims will be about its '
        'networks alone.',
        'Warning: fewer than 3 repetitions, 2, of classification/net.',
    ]
    assert [line for line in lines if 'detection/det' in line] == warnings[:1]
    assert not [line for line in told(load(seeds=[0, 1, 2])) if 'Warning' in line]


def judged(study):
    """How many comparisons are, by stage and model, once every arm has a run."""
    runs = [
        RunResult(stage, arm, 0, dict.fromkeys(study.metrics_of(stage, model), 0.5), model)
        for (stage, model), arms in study.trained_arms.items()
        for arm in arms
    ]
    verdicts = judge(StudyResults('name', runs, primary=study.primary_comparison()))
    return Counter((verdict.stage, verdict.model) for verdict in verdicts)


@pytest.mark.parametrize(
    'name',
    [
        'demo',
        'shapes',
        'cifar10_small',
        'paper/cifar10_resnet56',
        pytest.param('detection/coco_r50_thinet', marks=pytest.mark.slow),
    ],
)
def test_as_many_comparisons_are_planned_as_will_be_judged(name):
    study = Study.load(name)
    assert {place: n for place, n in comparisons_of(study).items() if n} == judged(study)


def test_masks_are_judged_beside_boxes():
    boxes, masks = (f'{name}_r18-w16_fpn_shapes' for name in ('faster-rcnn', 'mask-rcnn'))
    plans = [dict(config=f'../detection/{name}.py') for name in (boxes, masks)]
    detectors = {'study.detection': plans, 'study.classification.controls': False}
    study = Study.load('shapes', detectors)
    boxes, masks = (f'{name}/taylor' for name in (boxes, masks))
    assert study.metrics_of('detection', boxes) == ('coco/bbox_mAP',)
    assert study.metrics_of('detection', masks) == ('coco/bbox_mAP', 'coco/segm_mAP')
    named = {'study.primary': {'model': masks, 'metric': 'coco/segm_mAP'}}
    of_masks = Study.load('shapes', detectors | named)
    assert comparisons_of(of_masks) == comparisons_of(study) and of_masks.primary


@pytest.mark.parametrize(
    'named, more', [(dict(arm='scratch-e'), 0), (dict(baseline='unpruned'), 1)]
)
def test_a_primary_comparison_of_other_arms_is_one_more(load, named, more):
    study = load(primary=named)
    assert comparisons_of(study) == judged(study) == {CLASSIFIER: 3 + more}


def test_a_primary_comparison_of_a_variant_that_is_left_out_is_said(load):
    plan = dict(pruner=None, pruners=dict(a=PRUNER, b=PRUNER))
    study = load(classification=plan, primary=dict(model='net/a')).restricted(['b'])
    assert 'It is of a variant that is left out here: all others are judged alike.' in told(study)


def test_where_nothing_can_be_compared_nothing_is_promised(load):
    lines = told(load(classification=dict(arms=['fine-tune'])))
    assert not [line for line in lines if line.startswith('Primary')]
    alone = told(load(classification=dict(arms=['scratch-b'])))
    assert alone[0].startswith('0 comparisons are judged')
    assert not [line for line in alone if 'Found' in line]


def test_a_plan_that_is_refused_is_not_shown(load):
    with pytest.raises(UserError, match="arm='lottery'; trained are"):
        dry_run(load(primary=dict(arm='lottery')))


def test_what_is_done_and_what_the_rest_takes(study, tmp_path):
    plan, work = study(arms=('fine-tune',)), tmp_path / 'work'
    before = dry_run(plan, work).splitlines()
    assert not [line for line in before if line.endswith('  done')]
    macs = sum(run.train_macs for run in execute_study(plan, work).runs)
    (told,) = (line for line in before if line.startswith('To train: '))
    assert told.startswith('To train: at most ') and macs <= float(told.split()[4]) <= 4 * macs

    after = dry_run(study(arms=('fine-tune', 'scratch-e')), work).splitlines()
    assert [line.split()[-1] for line in after[1:4]] == ['done'] * 3
    assert after[4].endswith('scratch-e/seed0  after pruning/net/pruned/seed0')
    assert after[5] == 'Done already: 3 of 4 runs.'
    assert after[7].startswith('By the runs that are done it takes about ')
    finished = dry_run(plan, work)
    assert 'To train' not in finished and 'Done already: 3 of 3 runs.' in finished


def test_what_is_done_again_is_said_with_the_reason(study, tmp_path):
    execute_study(study(arms=('fine-tune',)), tmp_path / 'work')
    lines = dry_run(study(arms=('fine-tune',), scratch_b_cap=1), tmp_path / 'work').splitlines()
    assert lines[3].endswith('  done')
    options = {'study.classification.arm_settings.fine_tune_lr': 0.5}
    lines = dry_run(study(arms=('fine-tune',), options=options), tmp_path / 'work').splitlines()
    assert 'again: ' in lines[3] and 'optimizer.lr: 0.001 -> 0.5' in lines[3]


def test_without_data_on_the_disk_compute_is_not_known(load):
    assert 'To train' not in dry_run(load(), 'nowhere')
