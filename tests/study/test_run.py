"""A run is done once, in a folder of its own, and found there again."""

import json
import shutil
from dataclasses import replace
from functools import partial
from math import nan

import pytest

from rethink_det.report import RunResult
from rethink_det.study.graph import runs_of
from rethink_det.study.run import execute, finished
from rethink_det.study.stages import TrainClassifier

LR = 'optim_wrapper.optimizer.lr'


@pytest.fixture
def unpruned(study):
    """Makes the run of the unpruned network of a study."""

    def make(**options):
        parts = {'study.classification.options': options} if options else None
        return runs_of(study(options=parts))[0]

    return make


@pytest.fixture
def do(tmp_path):
    """Does a run of a study whose folder is ``tmp_path / 'work'``."""
    return partial(execute, parents={}, work_dir=tmp_path / 'work')


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob('*') if path.is_file()}


def test_it_leaves_its_result_its_recipe_and_its_config(do, unpruned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = do(unpruned()).result
    assert result.place.parent == tmp_path / 'work' / 'runs' / 'classification' / 'net' / 'unpruned'
    assert result.place.name == f'seed0-{result.identity[:8]}'
    assert RunResult.read(result.place, tmp_path / 'work') == result
    names = {path.name for path in result.place.iterdir()}
    assert {'result.json', 'recipe.json', 'config.py', 'console.log'} <= names
    assert not result.gone and result.wall_s > 0
    assert result.environment.started and result.environment.versions['torch']
    assert result.plan.config == 'net.py'


def test_it_is_not_done_again(do, unpruned, tmp_path):
    first = do(unpruned())
    before = times(tmp_path / 'work')
    assert do(unpruned()) == first
    assert times(tmp_path / 'work') == before


def test_another_config_is_another_run_and_what_differs_is_told_once(do, unpruned):
    first = do(unpruned()).result
    outcome = do(unpruned(**{LR: 0.5}))
    assert outcome.redone == f'{LR}: 0.05 -> 0.5'
    assert outcome.result.place != first.place
    console = (outcome.result.place / 'console.log').read_text()
    assert f'not what is there already: {LR}: 0.05 -> 0.5\n' in console
    assert do(unpruned(**{LR: 0.5})).redone == ''
    assert do(unpruned()).result == first


def test_many_differences_are_counted(do, unpruned):
    do(unpruned())
    options = {f'train_dataloader.{key}': 4 for key in ('batch_size', 'dataset.count')}
    told = do(unpruned(**{LR: 0.5, 'optim_wrapper.optimizer.momentum': 0.5, **options})).redone
    assert told.count(' -> ') == 3 and told.endswith(' and 1 more')


@pytest.mark.parametrize('lost', ['result.json', 'epoch_1.pth', 'architecture.json'])
def test_what_is_not_all_there_is_done_again_in_the_same_folder(do, unpruned, lost):
    first = do(unpruned()).result
    (first.place / lost).unlink()
    again = do(unpruned())
    assert again.result.place == first.place
    assert again.redone == ('' if lost == 'result.json' else f'{lost} gone')
    assert (again.result.digest, again.result.metrics) == (first.digest, first.metrics)
    assert (first.place / lost).is_file()


def test_it_is_found_in_a_study_that_was_moved(do, unpruned, tmp_path):
    first = do(unpruned()).result
    shutil.move(tmp_path / 'work', tmp_path / 'elsewhere')
    found = do(unpruned(), work_dir=tmp_path / 'elsewhere').result
    assert found == first
    assert found.checkpoint_path.is_relative_to(tmp_path / 'elsewhere')


@pytest.mark.parametrize('content', ['', '{', '[]', '{"identity": "other"}'])
def test_a_damaged_result_is_no_result(tmp_path, content):
    assert not finished(tmp_path, tmp_path).missing
    (tmp_path / 'result.json').write_text(content)
    found = finished(tmp_path, tmp_path)
    assert found.result is None and found.changed and 'result.json' in found.missing


def flip(path):
    """One bit, in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize('name', ['epoch_1.pth', 'architecture.json', 'config.py', 'result.json'])
def test_a_file_that_was_changed_is_not_built_on(do, unpruned, name):
    first = do(unpruned()).result
    flip(first.place / name)
    again = do(unpruned())
    assert name in again.redone and 'changed since' in again.redone or name == 'result.json'
    assert (again.result.digest, again.result.metrics) == (first.digest, first.metrics)
    (aside,) = first.place.parent.glob(f'changed-{first.place.name}')
    assert (aside / name).is_file() and again.result.place == first.place
    assert do(unpruned()).redone == ''


def test_a_metric_that_was_edited_is_not_believed(do, unpruned):
    first = do(unpruned()).result
    replace(first, metrics={'accuracy/top1': 99.0}).write()
    sealed = json.loads((first.place / 'result.json').read_text())
    sealed['metrics'] = {'accuracy/top1': 98.0}
    (first.place / 'result.json').write_text(json.dumps(sealed))
    again = do(unpruned())
    assert 'result.json: was changed since the run wrote it' in again.redone
    assert again.result.metrics == first.metrics


def test_weights_of_another_seed_in_its_place_are_not_taken(do, unpruned):
    first, other = do(unpruned()).result, do(unpruned(**{LR: 0.5})).result
    shutil.copy(other.checkpoint_path, first.checkpoint_path)
    again = do(unpruned())
    assert again.redone == 'epoch_1.pth changed since it was finished'
    assert again.result.digest == first.digest


def test_a_damaged_recipe_is_no_reason_to_fail(do, unpruned):
    first = do(unpruned()).result
    (first.place / 'recipe.json').write_text('{')
    again = do(unpruned()).result
    assert again.place == first.place and again.digest == first.digest


def test_a_metric_that_is_no_number_is_said_and_stays_in_the_result(do, unpruned, monkeypatch):
    def diverged(stage, *more):
        return replace(done(stage, *more), metrics={'accuracy/top1': nan, 'loss': 1.0})

    done = TrainClassifier.do
    monkeypatch.setattr(TrainClassifier, 'do', diverged)
    result = do(unpruned()).result
    found = RunResult.read(result.place, result.root)
    assert found.metrics == {'accuracy/top1': None, 'loss': 1.0}
    assert (found.status, found.error) == ('completed', 'not finite: accuracy/top1')
    assert do(unpruned()).result == found
