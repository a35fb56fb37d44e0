"""What studies have in common is done once, checked, and the same as if each had done it."""

import errno
import os
import threading

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.report.run_lock import lock
from rethink_det.report.verification import verify
from rethink_det.study import shared_runs
from rethink_det.study.dry_run import dry_run
from rethink_det.study.execute import execute_study
from rethink_det.study.shared_runs import SharedRuns, unlink_shared

COMMON = {'classification/net/unpruned/seed0', 'pruning/net/pruned/seed0'}


@pytest.fixture
def shared(tmp_path):
    return SharedRuns.of(tmp_path / 'shared')


@pytest.fixture
def first(study, shared, tmp_path):
    """A study that has given its runs to others."""
    return execute_study(study(arms=('fine-tune',)), tmp_path / 'first', shared=shared)


@pytest.fixture
def second(study, tmp_path):
    """Does another study, which has the same parent, in a folder of its own."""

    def run(shared, name='second', arms=('scratch-e',)):
        return execute_study(study(arms=arms), tmp_path / name, shared=shared)

    return run


def test_a_dry_run_says_what_would_be_taken_and_takes_nothing(first, study, shared, tmp_path):
    plan = study(arms=('fine-tune', 'scratch-e'))
    lines = dry_run(plan, tmp_path / 'second', shared).splitlines()
    done = {line.split()[0] for line in lines if line.endswith('  done by another study')}
    assert done == COMMON | {'classification/net/fine-tune/seed0'}
    assert 'Done already: 3 of 4 runs, 3 by other studies, from which they are taken.' in lines
    assert not (tmp_path / 'second').exists()
    assert 'by another study' not in dry_run(plan, tmp_path / 'second')
    of_first = dry_run(plan, tmp_path / 'first', shared)
    assert 'by other' not in of_first and 'Done already: 3 of 4 runs.' in of_first
    for run in runs_in(tmp_path / 'shared').values():
        if run.key == 'pruning/net/pruned/seed0':
            (run.place / run.checkpoint).write_text('edited')
    lines = dry_run(plan, tmp_path / 'second', shared).splitlines()
    assert sum(line.endswith('  done by another study') for line in lines) == 1
    assert len(list((tmp_path / 'shared').iterdir())) == 3  # what is not sound stays where it is


def test_a_dry_run_makes_no_folder_to_share(study, tmp_path):
    absent = SharedRuns.of(tmp_path / 'absent', look_only=True)
    assert 'Done already' not in dry_run(study(), tmp_path / 'work', absent)
    assert not absent.folder.exists()
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='--share .*file.*name another folder'):
        SharedRuns.of(tmp_path / 'file', look_only=True)


def runs_in(work):
    found = [RunResult.read(path.parent, work) for path in work.rglob('result.json')]
    return {result.key: result for result in found}


def trained(work):
    """Keys of the runs that were done in a study's folder, and not taken."""
    return {key for key, run in runs_in(work).items() if (run.place / 'last_checkpoint').exists()}


def test_the_parent_is_trained_once_and_the_second_study_says_so(
    first, second, shared, tmp_path, capsys
):
    capsys.readouterr()
    results = second(shared)
    told = capsys.readouterr().err
    assert told.count('done by another study') == 2 and not results.incomplete
    mine, theirs = (runs_in(tmp_path / name) for name in ('second', 'first'))
    assert mine.keys() & theirs.keys() == COMMON
    for key in COMMON:
        assert mine[key].digest == theirs[key].digest
        assert mine[key].environment == theirs[key].environment
    assert trained(tmp_path / 'second') == {'classification/net/scratch-e/seed0'}


@pytest.mark.slow
def test_it_ends_as_if_it_had_done_all_itself(first, second, shared):
    alone, together = second(None, 'alone'), second(shared)
    assert [run.digest for run in together.runs] == [run.digest for run in alone.runs]
    assert [run.metrics for run in together.runs] == [run.metrics for run in alone.runs]


def test_taken_runs_are_sound_found_again_and_on_the_disk_once(first, second, shared, tmp_path):
    second(shared)
    found = verify(tmp_path / 'second')
    assert len(found.sound) == 3 and not found.wrong and not found.foreign
    for key in COMMON:
        one, other = (runs_in(tmp_path / name)[key].checkpoint_path for name in ('first', 'second'))
        assert one.samefile(other)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / 'second').rglob('*.pth')}
    second(None)
    assert before == {
        path: path.stat().st_mtime_ns for path in (tmp_path / 'second').rglob('*.pth')
    }


@pytest.mark.slow
def test_runs_that_were_done_before_are_given_as_well(study, second, shared, tmp_path):
    execute_study(study(arms=('fine-tune',)), tmp_path / 'first')
    assert not list(shared.folder.iterdir())
    execute_study(study(arms=('fine-tune',)), tmp_path / 'first', shared=shared)
    second(shared)
    assert trained(tmp_path / 'second') == {'classification/net/scratch-e/seed0'}


@pytest.mark.slow
@pytest.mark.parametrize('name', ['result.json', 'recipe.json', 'architecture.json'])
def test_what_was_changed_there_is_not_taken_and_makes_room(first, second, shared, tmp_path, name):
    for path in shared.folder.rglob(name):
        path.unlink()  # a link: the study itself keeps its own
        path.write_text('{"changed": true}')
    second(shared)
    assert COMMON - {'pruning/net/pruned/seed0'} <= trained(tmp_path / 'second')
    assert len(list(shared.folder.glob('changed-*'))) == 2
    second(shared, 'third')
    assert trained(tmp_path / 'third') == set()


def test_without_links_files_are_copied(first, second, shared, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError('not on this file system')

    monkeypatch.setattr(shared_runs.os, 'link', refuse)
    second(shared)
    assert trained(tmp_path / 'second') == {'classification/net/scratch-e/seed0'}
    assert not verify(tmp_path / 'second').wrong


def test_doing_a_taken_run_again_changes_no_other_study(first, second, shared, tmp_path):
    second(shared)
    lost = runs_in(tmp_path / 'second')['classification/net/unpruned/seed0']
    (lost.place / 'architecture.json').unlink()
    before = {path: path.read_bytes() for path in (tmp_path / 'first').rglob('*.pth')}
    second(None)
    assert (lost.place / 'architecture.json').is_file()
    assert before == {path: path.read_bytes() for path in before}
    assert not verify(tmp_path / 'first').wrong and not verify(tmp_path / 'second').wrong


def test_a_file_with_other_names_is_made_ones_own(tmp_path):
    mine, theirs = tmp_path / 'mine', tmp_path / 'theirs'
    mine.mkdir()
    (mine / 'a.pth').write_text('weights')
    os.link(mine / 'a.pth', theirs)
    unlink_shared(mine)
    (mine / 'a.pth').write_text('others')
    assert theirs.read_text() == 'weights' and [*mine.iterdir()] == [mine / 'a.pth']


@pytest.mark.slow
def test_what_another_study_does_now_is_awaited(first, second, shared, capsys):
    """Its lock goes after a while, and nothing was given: then it is done here."""
    parent = next(run for run in first.runs if run.arm == 'unpruned')
    place = shared.folder / parent.identity
    (place / 'result.json').unlink()
    done = []
    with lock(place):
        thread = threading.Thread(target=lambda: done.append(second(shared)))
        thread.start()
        thread.join(5)
        assert not done
    thread.join(120)
    assert not done[0].incomplete
    assert 'is done by another study' in capsys.readouterr().err


def test_what_cannot_be_given_is_said_and_costs_no_run(
    study, shared, tmp_path, capsys, monkeypatch
):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'shared')

    monkeypatch.setattr(shared_runs, '_link_all', full)
    results = execute_study(study(arms=('fine-tune',)), tmp_path / 'first', shared=shared)
    assert not results.incomplete and not list(shared.folder.iterdir())
    assert 'not given to other studies: shared: No space left' in capsys.readouterr().err


@pytest.mark.parametrize('make', [lambda path: path.write_text('a file')])
def test_a_place_that_is_no_folder_is_refused(tmp_path, make):
    make(tmp_path / 'file')
    with pytest.raises(UserError, match='--share .*file: .*name another folder'):
        SharedRuns.of(tmp_path / 'file')
    with pytest.raises(UserError, match='--share'):
        SharedRuns.of(tmp_path / 'file' / 'inner')
