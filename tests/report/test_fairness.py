"""What two arms shared is derived from their runs, and the rung follows from it."""

from dataclasses import fields, replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.report.fairness import FACTS, RUNGS, SCRATCH_RUNGS, Fairness, fairness
from rethink_det.report.schema import read
from rethink_det.report.training_facts import TrainingFacts

TRAINING = TrainingFacts(
    data='ImageFolder',
    data_digest='d1',
    images=50000,
    augmentation='a1',
    epochs=40,
    batch_size=64,
    lr=0.1,
    schedule='constant',
    optimizer='SGD(momentum=0.9)',
    prunings=1,
)
OTHER = dict(
    data_digest='d2', augmentation='a2', epochs=160, batch_size=32, lr=0.001,
    schedule='MultiStepLR(milestones=[80])', optimizer='SGD', prunings=2,
)  # fmt: skip


COMPUTED = 'computation of a step'
UNTUNED_FACTS = tuple(fact for fact in FACTS if fact not in ('tuning', 'precision', COMPUTED))


def run(arm='fine-tune', seed=0, stage='classification', **changes):
    known = {field.name for field in fields(TrainingFacts)}
    training = {key: value for key, value in changes.items() if key in known}
    others = {key: value for key, value in changes.items() if key not in known}
    settled = dict(
        parent_digest=f'p{seed}',
        pruner={'type': 'L1NormPruner'},
        train_macs=2e15,
        total_train_macs=6e15,
        training=replace(TRAINING, **training),
    )
    return RunResult(stage, arm, seed, **settled | others)


def of(*changes, arms=('fine-tune', 'lottery')):
    """Two arms of two seeds each, the second with these changes."""
    merged = {key: value for change in changes for key, value in change.items()}
    return fairness(
        [run(arms[0], seed) for seed in (0, 1)],
        [run(arms[1], seed, **merged) for seed in (0, 1)],
    )


def test_arms_that_share_all_stand_on_the_highest_rung():
    found = of()
    assert (found.rung, found.shared, found.differing) == ('S4.2', UNTUNED_FACTS, ())
    assert found.same_schedule
    assert found.sentence.startswith(
        'On the ladder of arXiv 2301.05219, as it is read here, this is setting S4.2; both arms '
    )


@pytest.mark.parametrize(
    'changes, fact, rung',
    [
        (dict(data_digest='d2'), 'training data', None),
        (dict(images=10), 'training data', None),
        (dict(parent_digest='p9'), 'parent', 'S1'),
        (dict(epochs=160), 'epochs', 'S2'),
        (dict(lr=0.001), 'learning rate', 'S3.1'),
        (dict(tuning={'0.1': 91.0}), 'tuning', 'S3.1'),
        (dict(schedule='StepLR'), 'schedule', 'S3.1'),
        (dict(batch_size=32), 'batch size', 'S3.1'),
        (dict(optimizer='AdamW'), 'optimizer', 'S3.1'),
        (dict(augmentation='a2'), 'augmentation', 'S3.1'),
        (dict(pruner={'type': 'ThiNetPruner'}), 'pruning', 'S3.2'),
        (dict(prunings=3), 'pruning', 'S3.2'),
        (dict(train_macs=3e15), 'training compute', 'S4.1'),
        (dict(total_train_macs=7e15), 'total training compute', 'S4.1'),
    ],
)
def test_one_fact_that_differs_ends_the_ladder(changes, fact, rung):
    found = of(changes)
    assert (found.rung, found.differing) == (rung, (fact,))
    assert fact not in found.shared and f'they differ in {fact}' in found.sentence
    assert found.same_schedule == (fact not in ('epochs', 'learning rate', 'schedule'))


@pytest.mark.parametrize('precision', [None, 'float32'])
def test_ordinary_precision_is_not_worth_a_word(precision):
    told = dict(precision=precision)
    assert of(told).rung == ('S4.2' if precision is None else 'S3.1')  # where one does not tell
    same = fairness([run(**told)], [run('lottery', **told)])
    assert same.rung == 'S4.2' and 'precision' not in same.sentence


def test_another_precision_is_named():
    one, other = [run(precision='float32')], [run('lottery', precision='bfloat16')]
    found = fairness(one, other)
    assert found.rung == 'S3.1' and 'precision (float32 against bfloat16)' in found.sentence
    assert 'precision' in fairness(other, other).shared


def test_arms_that_were_not_computed_alike_are_told_apart():
    alone, together = [run(computed='alone')], [run('lottery', computed='together')]
    found = fairness(alone, together)
    assert found.rung == 'S3.1' and f'{COMPUTED} (alone against together)' in found.sentence
    assert COMPUTED in fairness(together, together).shared
    assert COMPUTED not in fairness(alone, [run('lottery')]).sentence  # as all of before


def test_two_that_were_tuned_alike_share_that():
    two = (('fine-tune', 1.0), ('lottery', 2.0))
    sides = ([run(arm, tuning={'0.1': 90.0, '0.01': value})] for arm, value in two)
    unsaid = 'precision', COMPUTED
    assert fairness(*sides).shared == tuple(fact for fact in FACTS if fact not in unsaid)
    assert 'tuning (0.1 against none)' in fairness([run(tuning={'0.1': 90.0})], [run()]).sentence


def test_numbers_that_differ_are_told():
    found = of(dict(epochs=160, lr=0.001, total_train_macs=9e15))
    assert 'epochs (40 against 160), learning rate (0.1 against 0.001) and total' in found.sentence
    assert 'total training compute (6.00 PMACs against 9.00 PMACs)' in found.sentence


def test_computes_are_the_same_within_what_whole_epochs_allow():
    assert 'training compute' in of(dict(train_macs=2.09e15)).shared
    assert 'training compute' in of(dict(train_macs=2.2e15)).differing


@pytest.mark.parametrize('stage', ['classification', 'detection'])
def test_an_arm_from_scratch_stands_on_a_ladder_of_its_own(stage):
    baseline = {'classification': 'fine-tune', 'detection': 'prune-c'}[stage]

    def against(**changes):
        return fairness([run(baseline, stage=stage)], [run('scratch-b', stage=stage, **changes)])

    assert against().rung == 'SX-B'
    assert against(parent_digest=None, epochs=160, lr=0.1).rung == 'SX-B'
    assert against(total_train_macs=9e15).rung == 'SX-A'
    assert against(data_digest='d2').rung is None
    both = fairness([run('scratch-e', stage=stage)], [run('scratch-b', stage=stage)])
    assert both.rung == 'S4.2'


def test_rows_that_lack_facts_say_so():
    old = [RunResult('classification', 'scratch-e', 0)]
    found = fairness(old, [run()])
    assert found == Fairness(None, unknown=tuple(fact for fact in FACTS if fact != 'precision'))
    assert found.sentence == 'What the two arms shared is not known.'
    assert not found.same_schedule
    assert fairness([], [run()]).rung is None
    one = fairness([run(parent_digest=None)], [run()])
    assert (one.rung, one.unknown) == ('S1', ('parent',))
    assert one.sentence.endswith('; not known: parent.')


def test_an_arm_that_nobody_knows_is_judged_by_its_facts():
    assert of(arms=('fine-tune', 'of-a-plug-in')).rung == 'S4.2'


def test_each_seed_has_its_own_parent():
    one, other = [run(seed=0), run(seed=1)], [run('lottery', seed=1), run('lottery', seed=0)]
    assert 'parent' in fairness(one, other).shared
    assert 'parent' in fairness(one, other[:1]).differing


@given(st.sets(st.sampled_from(sorted(OTHER)), min_size=1))
def test_more_that_differs_is_never_a_higher_rung(keys):
    rungs = [None, *RUNGS]
    more = of({key: OTHER[key] for key in keys})
    fewer = [of({key: OTHER[key] for key in some}) for some in combinations(keys, len(keys) - 1)]
    assert all(rungs.index(more.rung) <= rungs.index(one.rung) for one in fewer)
    assert sorted(more.shared + more.differing) == sorted(UNTUNED_FACTS)


def test_every_rung_is_of_facts():
    needed = {fact for rungs in (RUNGS, SCRATCH_RUNGS) for rung in rungs.values() for fact in rung}
    assert needed == set(FACTS)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(epochs='many'), "'epochs' is 'many', must be a whole number"),
        (dict(lr='low'), "'lr' is 'low', must be a finite number"),
        (dict(colour=1), "unknown key 'colour'"),
    ],
)
def test_facts_that_are_none_are_refused(changes, message):
    told = {field.name: getattr(TRAINING, field.name) for field in fields(TRAINING)}
    assert read(TrainingFacts, told, 'row') == TRAINING
    with pytest.raises(UserError, match=f'row: {message}'):
        read(TrainingFacts, told | changes, 'row')
    with pytest.raises(UserError, match="row: 'data' is missing"):
        read(TrainingFacts, {}, 'row')
