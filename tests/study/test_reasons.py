"""Why a run is to be done: what the plan says now, beside what is in the folder."""

import json
import os
from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.report.run_graph import Asked
from rethink_det.study.execute import execute_study
from rethink_det.study.reasons import causes, why
from rethink_det.study.stages import TrainClassifier

TUNED, PRUNED = 'classification/net/fine-tune/seed0', 'pruning/net/pruned/seed0'


@pytest.fixture
def done(study, tmp_path, monkeypatch):
    """The folder of a finished study that was asked for in the folder of ``study.py``."""
    monkeypatch.chdir(tmp_path)
    study(arms=('fine-tune',))
    work = tmp_path / 'work'
    execute_study(study(arms=('fine-tune',)), work, asked=Asked('study.py', cwd='..'))
    monkeypatch.chdir('/')
    return work


def folder(work, key):
    (found,) = (work / 'runs').glob(f'{key}-????????')
    return found


def edit(work, old, new):
    """Change the study's config."""
    path = work.parent / 'study.py'
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_finished_run_would_be_taken_wherever_it_is_asked(done):
    reason = why(done, TUNED)
    assert reason.result is not None and not reason.causes
    assert reason.text.startswith(f'{TUNED}: is done, and would be taken: runs/{TUNED}-')
    assert why(done, str(folder(done, TUNED))).text == reason.text
    assert why(done, folder(done, TUNED).relative_to(done).as_posix()).text == reason.text


def test_another_setting_is_named_and_what_comes_before_it_is_not_done_again(done):
    edit(done, "'fine_tune_epochs': 1", "'fine_tune_epochs': 2")
    assert why(done, PRUNED).result is not None
    assert 'train_cfg.max_epochs: 1 -> 2' in why(done, TUNED).causes['setting']


def test_what_makes_a_parent_necessary_is_told_with_its_child(done):
    edit(done, "'ratios': 0.5", "'ratios': 0.25")
    reason = why(done, TUNED)
    assert reason.words == 'is to be done, as what it needs is'
    (parent,) = reason.parents
    assert parent.key == PRUNED and 'ratios: 0.5 -> 0.25' in parent.text
    assert f'\n  {PRUNED}: is to be done, as it is not what is in runs/{PRUNED}-' in reason.text


def test_another_parent_and_other_code_are_told_apart(done, monkeypatch):
    monkeypatch.setattr(TrainClassifier, 'version', TrainClassifier.version + 1)
    reason = why(done, TUNED)
    (line,) = reason.parents[0].parents[0].causes['code']
    assert line.startswith('version: ') and 'see CHANGELOG.md' in line


def test_other_data_are_named(done):
    path = folder(done, TUNED) / 'recipe.json'
    told = causes(['data of train.images: 3 -> 4', 'train_dataloader.dataset.count: 2 -> 3'])
    assert list(told) == ['data'] and len(told['data']) == 2 and path.is_file()


@pytest.mark.parametrize(
    'line, cause',
    [
        ('version: 1 -> 2 (such runs come out differently since)', 'code'),
        ("sources.pruned: 'ab' -> 'cd'", 'parent'),
        ("load_from: 'checkpoint 0123abcd01' -> 'checkpoint ffff0000'", 'parent'),
        ("val_dataloader.dataset.data_root: 'a' -> 'b'", 'data'),
        ('settings.pruner.ratios: 0.5 -> 0.4', 'setting'),
        ('default_hooks.checkpoint.interval: 1 -> 2', 'setting'),
    ],
)
def test_each_difference_has_one_cause(line, cause):
    assert causes([line]) == {cause: [line]}


def test_other_software_is_told_and_makes_nothing_necessary(done):
    result = RunResult.read(folder(done, TUNED), done)
    then = replace(result.environment, versions={**result.environment.versions, 'torch': '1.0'})
    replace(result, environment=then).write()
    reason = why(done, TUNED)
    assert reason.result is not None
    assert 'software: not as it was, which makes no run necessary: torch 1.0 -> ' in reason.text


def test_a_changed_file_and_one_that_is_gone_are_named(done):
    (folder(done, TUNED) / 'config.py').write_text('x = 1')
    assert 'config.py changed since it was finished' in why(done, TUNED).text
    (folder(done, PRUNED) / 'inherited.pth').unlink()
    assert 'inherited.pth gone' in why(done, TUNED).parents[0].text


def test_what_was_broken_off_goes_on(done):
    (folder(done, TUNED) / 'result.json').unlink()
    assert 'it was broken off, and goes on in runs/' in why(done, TUNED).text


def test_what_was_never_begun_is_said(done):
    edit(done, "['fine-tune']", "['fine-tune', 'scratch-e']")
    reason = why(done, 'classification/net/scratch-e/seed0')
    assert reason.result is None and 'never finished, nor begun' in reason.text


@pytest.mark.parametrize('name', ['classification/net/finetune/seed0', 'qqq'])
def test_a_run_that_is_none_is_refused(done, name):
    with pytest.raises(UserError, match=f'The study has no run {name!r}'):
        why(done, name)


def test_a_study_that_nobody_asked_for_is_refused(done):
    content = json.loads((done / 'graph.json').read_text())
    (done / 'graph.json').write_text(json.dumps({**content, 'asked': None}))
    with pytest.raises(UserError, match='nobody said how this study was asked for'):
        why(done, TUNED)


def test_a_study_whose_config_is_gone_is_refused_and_one_stays_where_one_is(done):
    (done.parent / 'study.py').unlink()
    with pytest.raises(UserError, match='study.py does not exist'):
        why(done, TUNED)
    assert os.getcwd() == '/'
