"""One table knows all arms: what stands in it is consistent, and no other file knows a name."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from rethink_det.arms import (
    ARMS,
    CLASSIFICATION,
    DETECTION,
    SEGMENTATION,
    STAGES,
    STEPS,
    Arm,
    ArmTable,
    BudgetRule,
    Role,
    Start,
)
from rethink_det.errors import UserError

PACKAGE = Path(__file__).resolve().parents[1] / 'rethink_det'
SCRATCH = Arm(
    'scratch-x', CLASSIFICATION, 'Scratch-X', 'for a test', pruned=True, start=Start.RANDOM,
    budget=BudgetRule.BASE, role=Role.CANDIDATE,
)  # fmt: skip
TRANSFER = replace(SCRATCH, stage=DETECTION, start=Start.CLASSIFIER, source='scratch-e')


@pytest.fixture
def table():
    """A copy of the table, to be changed."""
    return ArmTable(ARMS)


@pytest.mark.parametrize('stage', STAGES)
def test_every_stage_has_one_network_to_prune_one_baseline_and_what_is_compared(stage):
    reference, baseline = ARMS.reference(stage), ARMS.baseline(stage)
    assert not reference.pruned and baseline.pruned and baseline.takes_weights
    unpruned = [arm for arm in ARMS.of(stage) if not arm.pruned]
    assert [arm for arm in unpruned if not arm.after_detector] == [reference]
    assert ARMS.candidates(stage)
    assert {reference.name, baseline.name} < set(ARMS.usual(stage)) <= set(ARMS.names(stage))


def test_a_detectors_arm_takes_what_a_classification_arm_gives():
    for arm in ARMS.of(DETECTION):
        assert arm.takes_weights == (arm.source is not None)
        if arm.start is Start.CLASSIFIER:
            assert ARMS.get(CLASSIFICATION, arm.source).pruned == arm.pruned
    assert not ARMS.get(CLASSIFICATION, ARMS.starting_from(Start.DETECTOR).source).pruned


@pytest.mark.parametrize(
    'stage, longer', [(CLASSIFICATION, 'scratch-total'), (DETECTION, 'scratch-d')]
)
def test_equal_compute_comes_first_among_candidates(stage, longer):
    candidates = ARMS.candidates(stage)
    assert [arm.name for arm in candidates] == ['scratch-b', longer, 'scratch-e']
    assert [ARMS.has_equal_compute(arm) for arm in candidates] == [True, True, False]


@pytest.mark.parametrize(
    'stage, arm, trained, rival',
    [
        (CLASSIFICATION, 'scratch-b', ['fine-tune', 'rewind'], 'fine-tune'),
        (CLASSIFICATION, 'rewind', ['fine-tune', 'scratch-b', 'scratch-e'], 'scratch-e'),
        (CLASSIFICATION, 'rewind', ['fine-tune', 'lottery'], 'fine-tune'),
        (CLASSIFICATION, 'fine-tune', ['scratch-e', 'rewind'], None),
        (CLASSIFICATION, 'scratch-b', ['scratch-e', 'scratch-b'], None),
        (DETECTION, 'scratch-d', ['prune-c', 'prune-d'], 'prune-d'),
        (DETECTION, 'unpruned-d', ['prune-c', 'prune-d'], 'prune-d'),
        (DETECTION, 'prune-d', ['prune-c', 'scratch-d'], 'prune-c'),
        (DETECTION, 'prune-d', ['prune-d', 'scratch-d'], None),
        (DETECTION, 'random', ['prune-d', 'unpruned'], 'prune-d'),
        (DETECTION, 'an arm of before', ['prune-c'], 'prune-c'),
    ],
)
def test_an_arm_is_compared_with_what_it_has_all_but_one_thing_in_common(
    stage, arm, trained, rival
):
    assert ARMS.rival(stage, arm, trained) == rival


def test_rivals_are_arms_of_the_stage():
    for arm in ARMS:
        assert set(arm.rivals) <= set(ARMS.names(arm.stage)) - {arm.name}


def test_the_weights_of_an_arm_are_inherited_wherever_they_were_trained_on():
    heirs = [(arm.stage, arm.name) for arm in ARMS if arm.pruned and ARMS.inherits(arm)]
    classifiers = [(CLASSIFICATION, 'fine-tune'), (CLASSIFICATION, 'rewind')]
    detectors = [(DETECTION, 'prune-c'), (DETECTION, 'prune-d')]
    assert heirs == [*classifiers, *detectors, (SEGMENTATION, 'prune-c')]


@pytest.mark.parametrize(
    'name, label',
    [
        ('scratch-e@12e', 'Scratch-E for 12 epochs'),
        ('fine-tune@2.5', 'fine-tuning at 2.5 times its epochs'),
        ('rewind@scratch-b', 'rewinding by the schedule of scratch-b'),
    ],
)
def test_an_arm_with_a_budget_of_its_own_is_the_arm_but_for_that(name, label):
    arm, plain = ARMS.get(CLASSIFICATION, name), ARMS.get(CLASSIFICATION, name.split('@')[0])
    assert (arm.name, arm.label) == (name, label) and ARMS.label(CLASSIFICATION, name) == label
    assert (arm.start, arm.pruned, arm.budget) == (plain.start, plain.pruned, plain.budget)
    assert arm.role not in (Role.BASELINE, Role.REFERENCE)
    assert ARMS.rank(CLASSIFICATION, plain.name) < ARMS.rank(CLASSIFICATION, name)
    assert arm in ARMS.named(name) and arm not in list(ARMS)


@pytest.mark.parametrize('budget', ['', '0e', '-1', 'e', 'scratch-d', 'twice'])
def test_a_budget_that_is_none_is_refused(budget):
    with pytest.raises(UserError, match=f'scratch-e@{budget}: {budget!r} is no budget'):
        ARMS.get(CLASSIFICATION, f'scratch-e@{budget}')


def test_every_arm_says_what_it_is_in_one_line():
    for arm in ARMS:
        assert arm.label and arm.meaning and '\n' not in arm.meaning
    labels = [(arm.stage, arm.label) for arm in ARMS]
    assert len(set(labels)) == len(labels)
    assert not set(STEPS) & {arm.name for arm in ARMS}


def test_unknown_arms_of_older_results_are_last_by_name_and_keep_their_names():
    names = ['zebra', 'scratch-b', 'ape', 'fine-tune', 'unpruned']
    ranked = sorted(names, key=lambda name: ARMS.rank(CLASSIFICATION, name))
    assert ranked == ['unpruned', 'fine-tune', 'scratch-b', 'ape', 'zebra']
    assert ARMS.label(CLASSIFICATION, 'zebra') == 'zebra'
    assert ARMS.label(DETECTION, 'prune-c') == 'Prune-C'


def test_an_unknown_arm_is_refused_with_the_known_ones():
    known = 'unpruned, fine-tune, scratch-e, scratch-b, scratch-total, rewind, lottery'
    with pytest.raises(UserError, match=f"classification arm 'prune-c'; known are {known}.$"):
        ARMS.get(CLASSIFICATION, 'prune-c')
    with pytest.raises(UserError, match="transfer arm 'lottery'; known are unpruned, prune-c, pr"):
        ARMS.get(DETECTION, 'lottery')
    with pytest.raises(UserError, match=f"Unknown arm 'raffle'; known are {known}, prune-c, pr"):
        ARMS.named('raffle')
    assert [arm.stage for arm in ARMS.named('scratch-e')] == list(STAGES)


def test_an_arm_of_ones_own_comes_last_and_goes_again(table):
    assert table.register(SCRATCH) is table.get(CLASSIFICATION, 'scratch-x')
    assert list(table)[-1] == SCRATCH and SCRATCH not in list(ARMS)
    assert SCRATCH in table.candidates(CLASSIFICATION)
    table.remove(CLASSIFICATION, 'scratch-x')
    assert list(table) == list(ARMS)
    with pytest.raises(UserError, match="Unknown classification arm 'scratch-x'"):
        table.remove(CLASSIFICATION, 'scratch-x')


@pytest.mark.parametrize(
    'arm, fields, message',
    [
        (SCRATCH, dict(name='scratch-e'), "There is a classification arm 'scratch-e' already"),
        (SCRATCH, dict(role=Role.BASELINE), 'classification has a BASELINE already'),
        (SCRATCH, dict(role=Role.REFERENCE), 'classification has a REFERENCE already'),
        (TRANSFER, dict(source='scratch-z'), "Unknown classification arm 'scratch-z'; known are"),
    ],
)
def test_what_the_table_cannot_hold_is_refused(table, arm, fields, message):
    with pytest.raises(UserError, match=message):
        table.register(replace(arm, **fields))
    assert list(table) == list(ARMS)


@pytest.mark.parametrize(
    'arm, fields, message',
    [
        (SCRATCH, dict(stage='tracking'), 'is none of classification, detection, segm'),
        (SCRATCH, dict(start=Start.DETECTOR), 'no classification arm starts from the checkpoint'),
        (TRANSFER, dict(start=Start.INHERITED), 'no transfer arm starts from a checkpoint with'),
        (TRANSFER, dict(budget=BudgetRule.FINE_TUNE), 'no transfer arm trains for a few epochs'),
        (SCRATCH, dict(source='fine-tune'), "source='fine-tune' for no weights"),
        (TRANSFER, dict(source=None), 'source=None for the checkpoint of a trained classifier'),
        (SCRATCH, dict(pruned=False, start=Start.INHERITED), 'fits no unpruned network'),
        (SCRATCH, dict(after_detector=True), 'after_detector=True for classification arm'),
        (TRANSFER, dict(start=Start.DETECTOR), 'after_detector=False for transfer arm'),
    ],
)
def test_an_arm_that_contradicts_itself_is_refused(arm, fields, message):
    with pytest.raises(UserError, match=message):
        replace(arm, **fields)


def test_no_arm_changes():
    with pytest.raises(AttributeError):
        ARMS.get(CLASSIFICATION, 'lottery').pruned = False


def texts(path):
    """The string constants of a module and their lines, docstrings included."""
    tree = ast.parse(path.read_text())
    return [
        (node.value, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_no_other_module_knows_an_arm_by_name():
    owners = {PACKAGE / 'arms.py', PACKAGE / 'report' / 'plots' / 'style.py'}  # style.py: colours
    names = {arm.name for arm in ARMS}
    strangers = [
        f'{path.relative_to(PACKAGE)}:{line}: {text!r}'
        for path in sorted(PACKAGE.rglob('*.py'))
        if path not in owners
        for text, line in texts(path)
        if text in names
    ]
    assert strangers == []
    assert {text for text, _ in texts(PACKAGE / 'arms.py')} >= names


def test_an_arm_that_takes_no_fine_tuned_network_cannot_leave_that_out():
    scratch = ARMS.get(DETECTION, 'scratch-e')
    with pytest.raises(UserError, match='untuned=True is for arm prune-c: arm scratch-e takes no'):
        ARMS.untuned(scratch)


def test_an_arm_of_no_classifier_has_no_source():
    with pytest.raises(ValueError, match='arm random has no source'):
        ARMS.source_of(ARMS.get(DETECTION, 'random'))
