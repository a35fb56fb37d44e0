"""A recipe is all that a run's result follows from, and nothing of where it is."""

from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.study.graph import runs_of
from rethink_det.study.recipe import Recipe, differences
from rethink_det.study.stages import stage_of
from tests.study.conftest import PRUNER


def stage(study, arm, **results):
    """The stage of the run of that arm, with these results for its parents."""
    (run,) = [run for run in runs_of(study) if run.arm == arm]
    return stage_of(run, {parent.key: results[name] for name, parent in run.parents.items()})


def recipe(stage):
    return Recipe.of(stage, stage.config())


def left(root, digest='d1', **files):
    """What a run left in the study's folder ``root``."""
    return RunResult('pruning', 'pruned', 0, root=root, folder='runs/p', digest=digest, **files)


@pytest.fixture
def pruned(cifar):
    """Makes what pruning left in the study's folder."""

    def make(root, digest='d1'):
        result = left(root, digest, checkpoint='c.pth', architecture='architecture.json')
        result.place.mkdir(parents=True, exist_ok=True)
        cifar(depth=8, base_channels=4, classes=2).save(result.architecture_path)
        return result

    return make


@pytest.mark.parametrize('name', ['moved', 'été', 'with "quotes"', 'back\\slash'])
def test_it_is_free_of_folders(study, pruned, tmp_path, name):
    here, there = (
        recipe(stage(study(), 'fine-tune', pruned=pruned(folder)))
        for folder in (tmp_path / 'here', tmp_path / name)
    )
    assert here == there and here.digest == there.digest
    assert str(tmp_path) not in str(here)


def test_it_follows_config_and_seed(study):
    first = recipe(stage(study(), 'unpruned'))
    assert recipe(stage(study(), 'unpruned')).digest == first.digest
    other = recipe(stage(study(seeds=[1]), 'unpruned'))
    assert other.digest != first.digest
    assert 'randomness.seed: 0 -> 1' in other.differences(first)
    options = {'study.classification.options': {'optim_wrapper.optimizer.lr': 0.5}}
    other = recipe(stage(study(options=options), 'unpruned'))
    assert other.differences(first) == ['optim_wrapper.optimizer.lr: 0.05 -> 0.5']


def test_it_follows_what_the_run_builds_on(study, pruned, tmp_path):
    one, other = (
        recipe(stage(study(), 'fine-tune', pruned=pruned(tmp_path, digest)))
        for digest in ('d1', 'd2')
    )
    assert one.digest != other.digest
    assert other.differences(one) == [
        "sources.pruned: 'd1' -> 'd2'",
        "custom_hooks.0.checkpoint: 'checkpoint d1' -> 'checkpoint d2'",
        "model.backbone.architecture: 'architecture d1' -> 'architecture d2'",
    ]


def test_pruning_follows_the_weights_it_prunes_and_the_method(study, tmp_path):
    parents = [left(tmp_path, digest) for digest in ('d1', 'd2')]
    one, other = (recipe(stage(study(), 'pruned', trained=p, unpruned=p)) for p in parents)
    assert other.differences(one) == [
        "sources.trained: 'd1' -> 'd2'",
        "sources.unpruned: 'd1' -> 'd2'",
    ]
    harder = study(pruner=dict(PRUNER, ratios=0.75))
    harder = recipe(stage(harder, 'pruned', trained=parents[0], unpruned=parents[0]))
    assert harder.differences(one) == ['settings.pruner.ratios: 0.5 -> 0.75']


def test_budgets_of_other_arms_do_not_matter(study, pruned, tmp_path):
    one, other = (
        recipe(stage(study(scratch_b_cap=cap), 'fine-tune', pruned=pruned(tmp_path)))
        for cap in (None, 2)
    )
    assert one == other


def test_rates_to_try_are_of_the_arms_that_try_them(study, pruned, tmp_path):
    plain, tuned = study(), study(tune_lr=[0.1, 0.01])
    one, other = (recipe(stage(s, 'fine-tune', pruned=pruned(tmp_path))) for s in (plain, tuned))
    assert one.settings == {} and other.settings == {'tune_lr': [0.1, 0.01]}
    assert other.differences(one) == ['settings.tune_lr: nothing -> [0.1, 0.01]']
    assert recipe(stage(plain, 'unpruned')) == recipe(stage(tuned, 'unpruned'))


def test_it_follows_the_version_of_the_stage(study):
    first = recipe(stage(study(), 'unpruned'))
    later = replace(first, version=first.version + 1)
    assert later.digest != first.digest
    (told,) = later.differences(first)
    assert told.startswith('version: 2 -> 3 (such runs come out differently since')


def test_it_is_the_version_of_what_trains_that_was_raised(study, tmp_path):
    parent = left(tmp_path)
    assert recipe(stage(study(), 'unpruned')).version == 2
    assert recipe(stage(study(), 'pruned', trained=parent, unpruned=parent)).version == 1


@pytest.mark.parametrize(
    'old, new, told',
    [
        ({'a': 1}, {'a': 1}, []),
        ({'a': {'b': [1, 2]}}, {'a': {'b': [1, 3]}}, ['a.b.1: 2 -> 3']),
        ({'a': [1]}, {'a': [1, 2]}, ['a: [1] -> [1, 2]']),
        ({'a': 1}, {'b': 1}, ['a: 1 -> nothing', 'b: nothing -> 1']),
        ({'a': None}, {'a': 'x' * 99}, [f"a: None -> '{'x' * 58}…"]),
    ],
)
def test_differences_are_named_by_key(old, new, told):
    assert list(differences(old, new)) == told


def test_it_is_written_and_read(study, tmp_path):
    written = recipe(stage(study(), 'unpruned'))
    written.write(tmp_path)
    assert Recipe.read(tmp_path) == written
    assert Recipe.read(tmp_path).digest == written.digest


def test_a_folder_without_one_has_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        Recipe.read(tmp_path)


@pytest.mark.parametrize(
    'content, message',
    [
        ('{', 'not valid JSON'),
        ('{"format": "rethink_det.run_recipe", "version": 1}', 'None, must be a dict'),
        ('{"recipe": {"config": {}, "colour": 1}}', "unknown key 'colour'"),
        ('{"recipe": {"config": 3}}', "'config' is 3, must be a dict"),
    ],
)
def test_a_damaged_one_is_refused(tmp_path, content, message):
    (tmp_path / 'recipe.json').write_text(content)
    with pytest.raises(UserError, match=f'recipe.json.*{message}.*; delete the folder'):
        Recipe.read(tmp_path)
