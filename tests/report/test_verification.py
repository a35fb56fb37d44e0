"""A study's folder is checked against what its runs said when they were done."""

import json
import shutil
from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult, StudyResults, checksums
from rethink_det.report.page import write_report
from rethink_det.report.verification import run_folders, verify

FILES = {'epoch_1.pth': b'weights', 'architecture.json': b'{}', 'curves.json': b'{"bbox": {}}'}


def finished(root, seed, **more):
    """A finished run in a study's folder, as a study leaves it."""
    place = f'runs/classification/net/fine-tune/seed{seed}-0123abcd'
    folder = root / place
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    known = dict(
        key=f'classification/net/fine-tune/seed{seed}',
        checkpoint='epoch_1.pth',
        architecture='architecture.json',
        digest=f'{seed}' * 8,
        identity='0123abcd' + f'{seed}' * 56,
        checksums=checksums.of_files(folder, FILES),
    )
    run = RunResult('classification', 'fine-tune', seed, {'accuracy/top1': 50.0 + seed}, 'net')
    run = replace(run, **known | more, root=root, folder=place)
    run.write()
    return run


@pytest.fixture
def root(tmp_path):
    """A study of two finished runs."""
    StudyResults('mine', [finished(tmp_path, 0), finished(tmp_path, 1)]).write(tmp_path)
    return tmp_path


@pytest.fixture
def folder(root):
    return root / 'runs/classification/net/fine-tune/seed0-0123abcd'


def test_what_is_as_it_was_left_is_sound(root):
    found = verify(root)
    assert (len(found.sound), found.wrong, found.unfinished, found.aside) == (2, [], [], [])
    assert found.text == '2 finished runs as left; 0 wrong'


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('what', ['flipped', 'cut', 'gone', 'swapped'])
def test_a_file_that_is_not_what_the_run_left_is_named(root, folder, name, what):
    path, content = folder / name, FILES[name]
    if what == 'gone':
        path.unlink()
    else:
        others = {'flipped': bytes([content[0] ^ 1]) + content[1:], 'cut': content[:-1]}
        path.write_bytes(others.get(what, b'of another seed'))
    found = verify(root)
    words = 'is gone' if what == 'gone' else 'is not what the run left'
    assert found.wrong == [f'{folder.relative_to(root)}/{name} {words}']
    assert [place[-14:] for place in found.sound] == ['seed1-0123abcd']


@pytest.mark.parametrize(
    'edit, told',
    [
        (lambda text: text.replace('50.0', '90.0'), 'was changed since the run wrote it'),
        (lambda text: text[:-30], 'not valid JSON'),
        (lambda text: '', 'not valid JSON'),
        (lambda text: '[]', 'holds a list'),
    ],
)
def test_an_edited_or_torn_result_is_wrong(root, folder, edit, told):
    path = folder / 'result.json'
    path.write_text(edit(path.read_text()))
    (line,) = verify(root).wrong
    assert str(path) in line and told in line
    with pytest.raises(UserError, match=told):
        RunResult.read(folder, root)


def test_a_torn_table_of_a_study_is_wrong_and_no_report_is_written_from_it(root):
    path = root / 'results.json'
    path.write_text(path.read_text()[:-40])
    (line,) = verify(root).wrong
    assert 'not valid JSON' in line
    with pytest.raises(UserError, match='not valid JSON'):
        write_report(root)
    path.unlink()
    with pytest.raises(UserError, match='run the study first'):
        write_report(root)


def test_a_row_of_the_study_that_says_something_else_is_wrong(root):
    path = root / 'results.json'
    content = json.loads(path.read_text())
    content['runs'][1]['metrics']['accuracy/top1'] = 99.0
    path.write_text(json.dumps(content))
    (line,) = verify(root).wrong
    assert 'fine-tune/seed1 says something else' in line
    with pytest.raises(
        UserError, match='seed1 says something else than the result.json of the run'
    ):
        write_report(root)


def test_what_is_neither_sound_nor_wrong_is_told_apart(root, folder):
    finished(root, 2, checksums=None)
    (folder / 'result.json').unlink()
    (folder / 'recipe.json').write_text('{}')
    folder.with_name('changed-seed1-4567abcd').mkdir()
    (folder.with_name('changed-seed1-4567abcd') / 'result.json').touch()
    (folder / '.epoch_2.pth.x1y2.part').touch()
    (folder / 'notes.txt').touch()
    found = verify(root)
    kinds = found.unknown, found.unfinished, found.aside, found.temporary, found.foreign
    told = [[one.rpartition('fine-tune/')[2] for one in kind] for kind in kinds]
    assert told == [
        ['seed2-0123abcd'],
        ['seed0-0123abcd'],
        ['changed-seed1-4567abcd'],
        ['seed0-0123abcd/.epoch_2.pth.x1y2.part'],
        # Without its result nobody knows the first, which is no checkpoint of MMEngine's.
        ['seed0-0123abcd/epoch_1.pth', 'seed0-0123abcd/notes.txt', 'seed2-0123abcd/epoch_1.pth'],
    ]
    assert 'not finished: runs/classification/net/fine-tune/seed0-0123abcd' in found.text


def test_the_whole_folder_of_another_run_is_wrong(root, folder):
    shutil.rmtree(folder)
    other = folder.with_name('seed1-0123abcd')
    shutil.copytree(other, folder.with_name('seed0-89abcdef'))
    (line,) = [line for line in verify(root).wrong if 'another run' in line]
    assert line.startswith('runs/classification/net/fine-tune/seed0-89abcdef holds')


def test_what_lies_within_a_run_is_no_run(root, folder):
    (folder / 'trials' / 'lr0.1').mkdir(parents=True)
    (folder / 'trials' / 'lr0.1' / 'config.py').touch()
    assert len(list(run_folders(root))) == 2


def test_another_folder_is_refused(tmp_path, root):
    with pytest.raises(UserError, match='is no folder of a study'):
        verify(tmp_path / 'nowhere')
    with pytest.raises(UserError, match='is no folder of a study'):
        verify(root / 'results.json')
    with pytest.raises(UserError, match='is no folder of a study'):
        verify(root / 'runs')
