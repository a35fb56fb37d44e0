"""The facts of a training are read off its resolved config."""

from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.study.graph import runs_of
from rethink_det.study.recipe import Recipe
from rethink_det.study.run import execute
from rethink_det.study.stages import stage_of
from rethink_det.study.training_facts import precision_of, prunings_of, training_facts
from rethink_det.training.config import find_config, load_config


@pytest.fixture
def facts(study, tiny_config):
    """The facts of the unpruned network's training by the tiny config with changes."""
    run = runs_of(study())[0]

    def of(changes=None, **more):
        config = tiny_config(**more)
        config.merge_from_dict(changes or {})
        return training_facts(config, run)

    return of


def test_they_say_what_the_config_says(facts):
    found = facts()
    assert (found.data, found.images, found.batch_size) == ('TinyImages', 24, 8)
    assert (found.epochs, found.lr) == (3, 0.05)
    assert found.schedule == 'MultiStepLR(gamma=0.5, milestones=[1, 2])'
    assert found.optimizer == 'SGD(momentum=0.9)'
    assert found.prunings == 0
    assert facts() == found


@pytest.mark.parametrize(
    'changes, names',
    [
        ({'train_dataloader.dataset.count': 16}, {'data_digest', 'images'}),
        ({'train_dataloader.batch_size': 4}, {'batch_size'}),
        ({'model.data_preprocessor.pad': 0}, {'augmentation'}),
        ({'optim_wrapper.optimizer.lr': 0.5}, {'lr'}),
        ({'optim_wrapper.optimizer.weight_decay': 0.1}, {'optimizer'}),
        ({'optim_wrapper.clip_grad': {'max_norm': 1}}, {'optimizer'}),
        ({'optim_wrapper.type': 'rethink_det.BFloat16OptimWrapper'}, {'precision'}),
        ({'param_scheduler': None}, {'schedule'}),
        ({'train_cfg.max_epochs': 4}, {'epochs'}),
        ({'randomness.seed': 7, 'work_dir': 'elsewhere', 'val_cfg': None}, set()),
    ],
)
def test_a_change_of_the_config_changes_the_fact_that_it_is_of(facts, changes, names):
    one, other = vars(facts()), vars(facts(changes))
    assert {name for name in one if one[name] != other[name]} == names


@pytest.mark.parametrize(
    'wrapper, precision',
    [
        (dict(), 'float32'),
        (dict(type='OptimWrapper'), 'float32'),
        (dict(type='rethink_det.BFloat16OptimWrapper'), 'bfloat16'),
        (dict(type='AmpOptimWrapper'), 'float16'),
        (dict(type='AmpOptimWrapper', dtype='bfloat16'), 'bfloat16'),
        (dict(type='ApexOptimWrapper'), None),  # nobody knows here
    ],
)
def test_what_a_step_computes_in_is_named(tiny_config, wrapper, precision):
    config = tiny_config(optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1), **wrapper))
    assert precision_of(config) == precision


def test_a_run_in_another_precision_is_another_run(study, tiny_config):
    run, (one, other) = runs_of(study())[0], (tiny_config(), tiny_config())
    other.optim_wrapper.type = 'rethink_det.BFloat16OptimWrapper'
    one, other = (Recipe.of(stage_of(run, {}), config) for config in (one, other))
    assert one.digest != other.digest
    (line,) = other.differences(one)
    assert line == "optim_wrapper.type: 'OptimWrapper' -> 'rethink_det.BFloat16OptimWrapper'"


def test_what_a_pipeline_does_is_augmentation_and_not_the_data(study):
    run = runs_of(study())[0]
    config = load_config(find_config('detection/faster-rcnn_r18-w16_fpn_shapes.py'))
    config.train_dataloader.dataset.type = 'rethink_det.TinyImages'  # counted without a file
    own = training_facts(config, run)
    config.train_dataloader.dataset.pipeline[2].scale = (64, 64)
    other = training_facts(config, run)
    assert own.augmentation != other.augmentation
    assert replace(own, augmentation=other.augmentation) == other
    wrapped = {'type': 'RepeatDataset', 'times': 2, 'dataset': config.train_dataloader.dataset}
    config.train_dataloader.dataset = wrapped
    assert training_facts(config, run).augmentation != other.augmentation


def test_images_that_cannot_be_counted_are_not_known(facts, capsys):
    assert facts({'train_dataloader.dataset.no_such_option': 1}).images is None
    assert 'no_such_option' in capsys.readouterr().err


def test_a_config_without_epochs_has_no_facts(facts):
    with pytest.raises(UserError, match='Budgets count epochs'):
        facts(train_cfg=dict(by_epoch=False, max_iters=10))


def test_rounds_are_counted(load):
    classification = dict(rounds=3, arms=['fine-tune'])
    plan = [dict(arms=['unpruned', 'prune-c', 'random'])]
    runs = runs_of(load(seeds=[0], classification=classification, detection=plan))
    counts = {(run.stage, run.arm, run.round): prunings_of(run) for run in runs}
    assert counts['classification', 'unpruned', 0] == 0
    assert counts['pruning', 'pruned', 1] == counts['classification', 'fine-tune', 1] == 1
    assert counts['pruning', 'pruned', 0] == counts['classification', 'fine-tune', 0] == 3
    assert counts['detection', 'prune-c', 0] == counts['detection', 'random', 0] == 3


def test_a_run_keeps_them(study, tmp_path):
    run = runs_of(study())[0]
    result = execute(run, {}, tmp_path / 'work').result
    assert result.training.data == 'TinyImages' and result.training.epochs == 1
    assert RunResult.read(result.place, tmp_path / 'work').training == result.training
