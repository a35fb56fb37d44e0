"""A study of the version before is read, reported and continued."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.report import Plan, Reference, RunResult, StudyResults, Transferred
from rethink_det.report.page import write_report
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here
from rethink_det.study.graph import runs_of
from rethink_det.study.older_runs import older_differences, parsed_config
from rethink_det.study.recipe import Recipe
from rethink_det.study.stages import stage_of


def test_its_results_are_read_with_everything_that_stands_in_them(older_study):
    results = StudyResults.read(older_study / 'work')
    assert results.title == 'A study of the version before'
    runs = {(run.stage, run.arm): run for run in results.runs}
    assert set(runs) == {
        *(('classification', arm) for arm in ('unpruned', 'fine-tune', 'scratch-e')),
        *(('detection', arm) for arm in ('unpruned', 'prune-c', 'prune-d', 'random')),
    }
    assert runs['classification', 'fine-tune'].reference == Reference(42.0, 'nobody, in no paper')
    detector = runs['detection', 'prune-c']
    assert detector.transferred == Transferred(42, 'bbf70feee0c4479e')
    assert runs['detection', 'random'].transferred == Transferred()
    assert detector.input_shape == (3, 64, 64)
    assert [one.stride for one in detector.stages] == [1, 2, 4]
    assert not any(run.gone for run in results.runs)  # where the study is now


def test_each_of_its_runs_is_read(older_study):
    root = older_study / 'work'
    runs = [RunResult.read(path.parent, root) for path in root.rglob('result.json')]
    assert len(runs) == 9 and not any(run.gone for run in runs)
    pruning = next(run for run in runs if run.stage == 'pruning')
    assert pruning.plan.settings == {'pruner': {'type': 'L1NormPruner', 'ratios': 0.5}}
    assert pruning.shape_train_macs == 0


def test_it_is_reported_as_it_was(older_study):
    written = write_report(older_study / 'work')
    text = written['markdown'].read_text()
    rows = json.loads((older_study / 'work' / 'results.json').read_text())['runs']
    for run in rows:
        if run['stage'] == 'classification':
            assert f'{run["metrics"]["accuracy/top1"]:.2f}' in text
    assert '42.00 (nobody, in no paper)' in text
    assert 'bbf70feee0c4479e' in text
    assert Path(older_study, 'work', 'plots').is_dir()


WITHOUT_DETECTORS = {'study.detection': []}
VERSION = 'version: 1 -> 2 (such runs come out differently since, see CHANGELOG.md)'


def start(folder, options=None):
    study = Study.load(folder / 'study.py', options)
    return execute_study(study, folder / 'work', Here())


def written(work):
    """When each file of the runs was last written."""
    files = [path for path in (work / 'runs').rglob('*') if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in files}


def redone(capsys):
    """The lines about runs that are done again, by the run's arm."""
    lines = [line for line in capsys.readouterr().err.splitlines() if 'done again' in line]
    return {line.split('/seed0')[0].rpartition('/')[2]: line for line in lines}


def test_its_trainings_are_done_again_as_their_images_come_in_another_order(older_study, capsys):
    files = written(older_study / 'work')
    results = start(older_study, WITHOUT_DETECTORS)
    assert not results.incomplete
    lines = redone(capsys)
    assert set(lines) == {'unpruned', 'pruned', 'fine-tune', 'scratch-e'}
    for arm in ('unpruned', 'fine-tune', 'scratch-e'):
        assert f'done again: {VERSION}' in lines[arm]
    assert 'done again: sources.trained: ' in lines['pruned']
    now = written(older_study / 'work')
    assert {path: now[path] for path in files} == files  # what was there stays as it was
    start(older_study, WITHOUT_DETECTORS)
    assert written(older_study / 'work') == now and not redone(capsys)


@pytest.fixture
def given_parent(older_study, older_results):
    """Options by which the study takes the parent that it trained then, and no detectors."""
    trained = older_results['classification/classifier/unpruned/seed0']
    shutil.copy(trained.checkpoint_path, older_study / 'given.pth')
    return {**WITHOUT_DETECTORS, 'study.classification.parent': str(older_study / 'given.pth')}


def test_what_pruned_its_parent_is_taken_where_the_parent_is_given(
    older_study, given_parent, capsys
):
    files = written(older_study / 'work')
    start(older_study, {**given_parent, 'study.classification.arms': ['fine-tune']})
    new = written(older_study / 'work').keys() - files.keys()
    assert new and not [path for path in new if 'pruning' in path.parts]
    lines = redone(capsys)
    assert 'pruned' not in lines and VERSION in lines['fine-tune']


def test_another_pruner_prunes_a_given_parent_again(older_study, given_parent, capsys):
    harder = {
        'study.classification.pruner.ratios': 0.75,
        'study.classification.arms': ['fine-tune'],
    }
    assert not start(older_study, {**given_parent, **harder}).incomplete
    assert 'done again: settings.pruner.ratios: 0.5 -> 0.75' in redone(capsys)['pruned']


def test_what_differs_besides_is_named_as_well(older_stage, older_study, older_results):
    stage = older_stage('classification/classifier/fine-tune/seed0')
    recipe = Recipe.of(stage, stage.config())
    place = older_results[stage.run.key].place, older_study / 'work', stage
    assert older_differences(*place, recipe) == [VERSION]
    recipe = replace(recipe, config={**recipe.config, 'randomness': {'seed': 7}})
    assert older_differences(*place, recipe) == [VERSION, 'randomness.seed: 0 -> 7']


@pytest.mark.parametrize(
    'key, options',
    [
        ('pruning/classifier/pruned/seed0', {}),
        ('detector-pruning/detector/pruned/seed0', {}),
    ],
)
def test_what_pruned_is_known_by_its_parent_as_well(
    older_stage, older_study, older_results, key, options
):
    stage = older_stage(key)
    recipe = Recipe.of(stage, stage.config())
    place = older_results[key].place, older_study / 'work', stage
    assert older_differences(*place, recipe) == []
    other = replace(recipe, sources={**recipe.sources, 'trained': 'other'})
    (told,) = older_differences(*place, other)
    assert told == f"sources.trained: '{recipe.sources['trained']}' -> 'other'"
    other = replace(recipe, config={**recipe.config, 'randomness': {'seed': 7}})
    assert older_differences(*place, other) == ['its config, which it did not keep']


def test_a_training_that_was_broken_off_is_begun_anew(older_study, older_results):
    run = older_results['classification/classifier/unpruned/seed0']
    for name in ('result.json', run.checkpoint):
        (run.place / name).unlink()
    files = written(older_study / 'work')
    options = {**WITHOUT_DETECTORS, 'study.classification.arms': ['unpruned']}
    assert not start(older_study, options).incomplete
    now = written(older_study / 'work')
    assert {path: now[path] for path in files} == files and len(now) > len(files)


def test_a_given_parent_is_known_by_its_weights(older_study, older_results):
    trained = older_results['classification/classifier/unpruned/seed0']
    file = older_study / 'given.pth'
    shutil.copy(trained.checkpoint_path, file)
    options = {'study.classification.parent': str(file)}
    (run, *_) = runs_of(Study.load(older_study / 'study.py', options))
    stage = stage_of(run, {})
    recipe = Recipe.of(stage, stage.config())
    # What such a run had: the folder of a training, and an identity with the digest in it.
    known = dict(stage='classification', arm='unpruned', seed=0, parent=trained.digest)
    text = json.dumps([recipe.config, known], sort_keys=True)
    identity = hashlib.sha256(text.encode()).hexdigest()
    plan = Plan('net.py', {}, {'parent': '/gone/parent.pth'})
    replace(trained, identity=identity, plan=plan).write()
    place = trained.place, older_study / 'work', stage
    assert older_differences(*place, recipe) == []
    other = replace(recipe, sources={'parent': 'other'})
    assert older_differences(*place, other) == ['its config, which it did not keep']


def test_a_run_whose_folder_tells_nothing_is_not_taken(older_study, older_stage, tmp_path):
    stage = older_stage('classification/classifier/unpruned/seed0')
    recipe = Recipe.of(stage, stage.config())
    with pytest.raises(FileNotFoundError):
        older_differences(tmp_path, tmp_path, stage, recipe)


def test_a_dumped_config_is_read_as_it_was_resolved(older_stage, tmp_path):
    config = older_stage('detection/detector/prune-c/seed0').config()
    config.dump(tmp_path / 'config.py')
    assert parsed_config(tmp_path / 'config.py') == plain(config.to_dict())


@pytest.mark.parametrize(
    'text',
    ['a = open("x")', 'a = dict(open("x"))', 'import os', 'a = b', 'a, b = 1, 2', 'a = ', '3'],
)
def test_nothing_in_a_config_is_run(tmp_path, text):
    (tmp_path / 'config.py').write_text(text)
    with pytest.raises(UserError, match='config.py is no dumped config'):
        parsed_config(tmp_path / 'config.py')
