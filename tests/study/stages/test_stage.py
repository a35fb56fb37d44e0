"""Every kind of run has a stage, with the results of its parents under the names of the graph."""

from dataclasses import replace

import pytest

from rethink_det.report import Plan, Reference, RunResult
from rethink_det.study.graph import runs_of
from rethink_det.study.nodes import ClassifierPruning, DetectorPruning, Run
from rethink_det.study.stages import STAGES, TrainClassifier, stage_of


def subclasses(kind):
    return {one for sub in kind.__subclasses__() for one in (sub, *subclasses(sub))}


def test_every_kind_of_run_has_one():
    assert set(STAGES) == subclasses(Run)
    assert len(set(STAGES.values())) == len(STAGES)


@pytest.mark.parametrize(
    'kind, names',
    [(ClassifierPruning, 'trained unpruned'), (DetectorPruning, 'trained classifier')],
)
def test_parents_come_by_name(load, kind, names):
    study = load(detection=[dict(arms=['prune-d'])], seeds=[0])
    (run,) = [run for run in runs_of(study) if type(run) is kind]
    results = {
        key: RunResult('classification', 'unpruned', 0, key=key)
        for key in {parent.key for parent in run.parents.values()}
    }
    stage = stage_of(run, results)
    assert list(stage.parents) == names.split()
    assert all(stage.parents[name].key == run.parents[name].key for name in names.split())


def test_a_result_that_is_missing_is_an_error(load):
    run = next(run for run in runs_of(load(seeds=[0])) if run.parents)
    with pytest.raises(KeyError, match='classification/net/unpruned/seed0'):
        stage_of(run, {})


def test_a_config_evaluates_last_keeps_two_checkpoints_and_has_the_seed_of_the_run(study):
    (run, *_) = runs_of(study(seeds=[5]))
    config = stage_of(replace(run, epochs=7), {}).config()
    assert config.randomness == dict(seed=5)
    assert (config.train_cfg.max_epochs, config.train_cfg.val_interval) == (7, 7)
    assert config.default_hooks.checkpoint == dict(type='CheckpointHook', max_keep_ckpts=2)
    assert config.experiment_name == 'classification_net_unpruned_seed5'


def test_a_result_says_what_the_study_knew_beforehand(study):
    run = replace(runs_of(study())[0], reference=Reference(93.1))
    result = TrainClassifier(run).result(params=3)
    assert (result.key, result.model, result.params) == (run.key, 'net', 3)
    assert result.reference == Reference(93.1)
    assert result.plan == Plan(run.config)
