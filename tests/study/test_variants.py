"""Several pruners in one study: they share the parent, and each has a group of results."""

import pytest

from rethink_det.classification.arm_config import ArmSettings
from rethink_det.errors import UserError
from rethink_det.report import Reference
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here
from rethink_det.study.graph import models_of, runs_of

MILD, HARD = (dict(type='L1NormPruner', ratios=ratio) for ratio in (0.25, 0.75))


@pytest.fixture
def load(tiny_config, tmp_path):
    """Reads a study of a tiny classifier pruned twice."""
    tiny_config(epochs=1).dump(tmp_path / 'net.py')
    (tmp_path / 'det.py').write_text('train_cfg = dict(max_epochs=1)')

    def make(detection=(), **classification):
        plan = dict(config='net.py', pruners=dict(mild=MILD, hard=HARD), arms=['fine-tune'])
        settings = dict(arm_settings=dict(fine_tune_epochs=1))
        parts = dict(seeds=[0], classification=plan | settings | classification)
        parts['detection'] = [dict(config='det.py') | plan for plan in detection]
        (tmp_path / 'study.py').write_text(f'study = {parts!r}')
        return Study.load(tmp_path / 'study.py')

    return make


def test_the_parent_is_trained_once_and_every_variant_has_its_arms(load):
    keys = [run.key for run in runs_of(load(arms=['fine-tune', 'scratch-e']))]
    expected = ['classification/net/unpruned/seed0']
    for variant in ('mild', 'hard'):
        expected.append(f'pruning/net/{variant}/pruned/seed0')
        arms = ('fine-tune', 'scratch-e')
        expected += [f'classification/net/{variant}/{arm}/seed0' for arm in arms]
    assert keys == expected


def test_a_detector_takes_every_variant_and_the_unpruned_backbone_once(load):
    runs = runs_of(load(detection=[dict(arms=['unpruned', 'prune-c', 'random'])]))
    sources = {run.key: run.start.key for run in runs if run.stage == 'detection'}
    assert sources == {
        'detection/det/unpruned/seed0': 'classification/net/unpruned/seed0',
        'detection/det/mild/prune-c/seed0': 'classification/net/mild/fine-tune/seed0',
        'detection/det/hard/prune-c/seed0': 'classification/net/hard/fine-tune/seed0',
        'detection/det/mild/random/seed0': 'pruning/net/mild/pruned/seed0',
        'detection/det/hard/random/seed0': 'pruning/net/hard/pruned/seed0',
    }


def test_each_round_belongs_to_its_variant(load):
    runs = {run.key: run for run in runs_of(load(rounds=2))}
    last = runs['pruning/net/hard/pruned/seed0']
    assert last.trained.key == 'classification/net/hard/fine-tune-round1/seed0'
    assert last.trained.pruned.key == 'pruning/net/hard/pruned-round1/seed0'
    assert last.unpruned == last.trained.pruned.trained == runs['classification/net/unpruned/seed0']


def test_references_of_a_variant_are_its_own(load):
    published = {'unpruned': dict(value=93.1), 'hard/fine-tune': dict(value=91.3)}
    runs = {run.key: run.reference for run in runs_of(load(reference=published))}
    assert runs['classification/net/unpruned/seed0'] == Reference(93.1)
    assert runs['classification/net/hard/fine-tune/seed0'] == Reference(91.3)
    assert runs['classification/net/mild/fine-tune/seed0'] is None


def test_a_variant_says_what_it_has_of_its_own_and_takes_the_rest_from_the_study(load):
    mine = dict(arms=['scratch-b'], arm_settings=dict(scratch_b_cap=2), rounds=2)
    study = load(
        arm_settings=dict(fine_tune_epochs=1, scratch_b_cap=None),
        variants=dict(hard=mine, shape=dict(architecture='resnet34-a', arms=['scratch-e'])),
    )
    runs = {run.key: run for run in runs_of(study)}
    settings = ArmSettings(fine_tune_epochs=1, scratch_b_cap=2)
    assert runs['classification/net/hard/scratch-b/seed0'].settings == settings
    assert runs['pruning/net/hard/pruned-round1/seed0'].pruner == HARD
    assert runs['pruning/net/shape/pruned/seed0'].architecture == 'resnet34-a'
    trained = [run for run in runs.values() if run.stage == 'classification' and not run.round]
    arms = {(run.variant, run.arm) for run in trained}
    expected = {('mild', 'fine-tune'), ('hard', 'scratch-b'), ('shape', 'scratch-e')}
    assert arms == {('', 'unpruned'), *expected}


def test_a_published_number_may_stand_in_the_variant(load):
    theirs = dict(mild=dict(reference={'fine-tune': dict(value=91.3)}))
    runs = {run.key: run.reference for run in runs_of(load(variants=theirs))}
    assert runs['classification/net/mild/fine-tune/seed0'] == Reference(91.3)
    assert runs['classification/net/hard/fine-tune/seed0'] is None


def test_a_restricted_study_has_the_same_runs_of_fewer_variants(load):
    study = load(detection=[dict(arms=['unpruned', 'prune-d'])])
    alone = study.restricted(['hard'])
    assert runs_of(alone) == [run for run in runs_of(study) if run.variant in ('', 'hard')]
    assert models_of(alone, runs_of(alone)[0]) == ['net/hard']
    assert runs_of(alone.restricted(['hard'])) == runs_of(alone)
    assert runs_of(study.restricted(['hard', 'mild'])) == runs_of(study)


def test_variants_that_a_study_has_not_are_refused(load):
    with pytest.raises(UserError, match="'harder'; its variants are mild, hard"):
        load().restricted(['mild', 'harder'])
    with pytest.raises(UserError, match="'hard'; its variants are mild"):
        load().restricted(['mild']).restricted(['hard'])
    with pytest.raises(UserError, match="no variant 'a'; it has none"):
        load(pruners={}, pruner=MILD).restricted(['a'])


def test_results_have_a_group_a_variant_with_the_parent_in_each(load, tmp_path):
    results = execute_study(load(), tmp_path / 'out', Here())
    assert not results.incomplete
    table = {(run.model, run.arm): run for run in results.runs}
    assert set(table) == {
        (f'net/{v}', a) for v in ('mild', 'hard') for a in ('unpruned', 'fine-tune')
    }
    assert table['net/mild', 'unpruned'].checkpoint == table['net/hard', 'unpruned'].checkpoint
    macs = [table[key].macs for key in (('net/hard', 'fine-tune'), ('net/mild', 'fine-tune'))]
    assert macs[0] < macs[1] < table['net/mild', 'unpruned'].macs
    assert [said.model for said in results.conclusions] == ['net/hard', 'net/mild']


@pytest.mark.parametrize(
    'parts, words',
    [
        (dict(pruner=MILD), 'a pruner, an architecture or a pruned network; or several'),
        (dict(pruners={}), 'a pruner, an architecture or a pruned network; or several'),
        (dict(pruners={'a/b': MILD}), "a variant becomes a folder, and 'a/b' can be none"),
        (
            dict(pruners={'fine-tune': MILD}),
            "cannot be called 'fine-tune', which",
        ),
        (dict(pruners={'a': dict(type='L1NormPruner', ratios=2.0)}), r'\[0, 1\)'),
        (dict(variants={'hard': [0.5]}), r"variants.hard' is \[0.5\], must be a dict"),
        (
            dict(variants={'hard': dict(config='net.py')}),
            "hard: unknown key 'config'; valid",
        ),
        (dict(variants={'new': dict(arms=['fine-tune'])}), 'needs a pruner, an architecture'),
        (dict(variants={'hard': dict(arms=['prune-c'])}), "arm 'prune-c'; known are unpruned"),
        (
            dict(variants={'hard': dict(rounds=0)}),
            "variants.hard.rounds' is 0, must be a whole",
        ),
        (dict(variants={'hard': dict(arm_settings=dict(epoch=1))}), "unknown key 'epoch'"),
        (dict(variants={'s': dict(architecture='resnet34-a')}), 'no weights: fine-tune needs'),
    ],
)
def test_pruners_that_make_no_sense_are_refused(load, parts, words):
    with pytest.raises(UserError, match=words):
        load(**parts)
