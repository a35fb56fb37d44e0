"""What nothing needs in a study's folder goes; what this package did not write stays."""

import fcntl
import io
import os
import zipfile
from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.files import save_text
from rethink_det.layout import lock_file
from rethink_det.report import RunResult, StudyResults, checksums
from rethink_det.report.cleaning import leftovers, size
from rethink_det.report.run_graph import PlannedRun, RunGraph

KEY = 'classification/net/unpruned/seed0'
USED, OLD = f'runs/{KEY}-00000000', f'runs/{KEY}-11111111'
STAMP = '20261126_235619'


def checkpoint(mark=b'mmengine_version'):
    """As torch writes it, of a few bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('epoch_2/data.pkl', b'\x80\x02X' + mark)
    return file.getvalue()


@pytest.fixture
def finish(tmp_path):
    """Fills the folder of a finished run."""

    def make(place, **more):
        folder = tmp_path / place
        (folder / STAMP / 'vis_data').mkdir(parents=True)
        for name in ('epoch_1.pth', 'epoch_2.pth'):
            (folder / name).write_bytes(checkpoint())
        for name in ('config.py', 'recipe.json', 'console.log', 'last_checkpoint'):
            (folder / name).write_text(name)
        for name in ('net.py', f'{STAMP}/vis_data/config.py'):
            (folder / name).write_text('model = 1')
        (folder / STAMP / f'{STAMP}.log').write_text('log')
        result = RunResult('classification', 'unpruned', 0, {}, 'net', key=KEY, **more)
        result = replace(result, root=tmp_path, folder=place, checkpoint='epoch_2.pth')
        sums = checksums.of_files(folder, ['epoch_2.pth', 'config.py'])
        replace(result, checksums=sums).write()
        return folder

    return make


@pytest.fixture
def root(tmp_path, finish):
    """The folder of a study that has used one run."""
    finish(USED)
    graph = RunGraph('mine', (PlannedRun(KEY, 'classification', 'unpruned', folder=USED),))
    graph.write(tmp_path)
    return tmp_path


def names(root):
    return {path.relative_to(root).as_posix() for path in leftovers(root).files}


def test_of_a_finished_run_the_earlier_checkpoint_goes_and_no_more(root):
    before = {path for path in root.rglob('*') if path.is_file()}
    assert names(root) == {f'{USED}/epoch_1.pth'}
    leftovers(root).remove()
    assert before - set(root.rglob('*')) == {root / USED / 'epoch_1.pth'}
    assert not names(root) and leftovers(root).text == 'nothing to remove'


def test_a_run_of_another_recipe_goes_whole(root, finish):
    folder = finish(OLD)
    found = leftovers(root)
    assert 'of another recipe' in found.text and not found.kept
    found.remove()
    assert not folder.exists() and (root / USED / 'epoch_2.pth').is_file()


def test_what_was_set_aside_goes(root, finish):
    folder = finish('runs/classification/net/unpruned/changed-seed0-00000000')
    leftovers(root).remove()
    assert not folder.exists()


def test_an_evaluation_of_a_run_and_the_config_as_we_wrote_it_go_with_it(root, finish):
    folder = finish(OLD)
    (folder / 'evaluation' / STAMP / 'vis_data').mkdir(parents=True)
    (folder / 'evaluation' / STAMP / f'{STAMP}.log').write_text('log')
    (folder / 'evaluation' / STAMP / 'vis_data' / 'config.py').write_text('model = 2')
    (folder / 'net.py').write_text(checksums.sealed('model = 3'))
    found = leftovers(root)
    assert not found.kept
    found.remove()
    assert not folder.exists()


@pytest.mark.parametrize(
    'name, content',
    [
        ('notes.txt', b'mine'),
        ('changed.py', checksums.sealed('x = 1').encode() + b'y = 2'),
        ('evaluation/notes.txt', b'mine'),
        ('epoch_7.pth', b'weights of mine'),
        ('epoch_8.pth', checkpoint(b'of another tool')),
        ('other.py', b'x = 1'),
        ('mine/results.csv', b'1'),
        (f'{STAMP}/notes.md', b'mine'),
        ('.notes.part', b'mine'),
    ],
)
def test_what_this_package_did_not_write_stays_and_is_named(root, finish, name, content):
    path = finish(OLD) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (0, 0))
    found = leftovers(root)
    assert found.kept == [path] and f'{name}: kept' in found.text
    found.remove()
    assert path.read_bytes() == content and [*path.parent.iterdir()] == [path]


def test_links_and_what_they_lead_to_stay(root, finish, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp('elsewhere') / 'epoch_9.pth'
    elsewhere.write_bytes(checkpoint())
    link = finish(OLD) / 'epoch_9.pth'
    link.symlink_to(elsewhere)
    leftovers(root).remove()
    assert link.is_symlink() and elsewhere.is_file()


@pytest.mark.parametrize('place', [USED, OLD])
def test_of_a_run_that_is_no_longer_sound_nothing_is_thrown_away(root, finish, place):
    folder = root / place if place == USED else finish(place)
    RunGraph('mine', (PlannedRun(KEY, 'classification', 'unpruned', folder=place),)).write(root)
    (folder / 'epoch_2.pth').write_bytes(b'hit by a bad disk')
    assert not [name for name in names(root) if name.startswith(f'{place}/')]


def test_as_long_as_the_study_used_none_all_folders_of_a_run_stay(root, finish):
    finish(OLD)
    RunGraph('mine', (PlannedRun(KEY, 'classification', 'unpruned'),)).write(root)
    assert not names(root)


def test_a_run_that_the_report_names_stays(root, finish):
    finish(OLD)
    row = RunResult('classification', 'unpruned', 0, {}, 'net', key=KEY, folder=OLD)
    StudyResults('mine', [row]).write(root)
    assert names(root) == {f'{place}/epoch_1.pth' for place in (USED, OLD)}


def test_runs_of_other_variants_stay_and_are_counted(root, finish):
    folder = finish('runs/classification/net/b/fine-tune/seed0-22222222')
    found = leftovers(root)
    assert found.strangers == [folder] and '1 runs of other seeds' in found.text
    assert not [path for path in found.files if folder in path.parents]


def test_what_a_killed_writer_left_goes_but_not_what_is_being_written(root):
    left, young = (root / USED / f'.result.json.abcd12{n}_.part' for n in 'xy')
    left.write_text('{')
    os.utime(left, (0, 0))
    with young.open('w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert names(root) == {f'{USED}/epoch_1.pth', f'{USED}/{left.name}'}


def test_a_file_that_is_in_another_study_as_well_frees_nothing(root):
    alone = leftovers(root).bytes
    os.link(root / USED / 'epoch_1.pth', root / 'elsewhere.pth')
    assert alone > 0 and leftovers(root).bytes == 0


def test_nothing_is_cleaned_beside_a_run_that_goes_on(root):
    folder = root / OLD
    folder.mkdir(parents=True)
    save_text('{}', folder / 'recipe.json')
    save_text('{}', lock_file(folder, 'abc'))
    with pytest.raises(UserError, match='somebody works on this run'):
        leftovers(root)


@pytest.mark.parametrize('text', [None, '{', '{"study": "x", "runs": [{"key": 3}]}'])
def test_without_a_graph_that_can_be_read_nothing_is_known(tmp_path, text):
    (tmp_path / 'runs').mkdir()
    if text:
        (tmp_path / 'graph.json').write_text(text)
    with pytest.raises(UserError, match='graph.json'):
        leftovers(tmp_path)


@pytest.mark.parametrize(
    'count, words', [(0, '0 B'), (999, '999 B'), (312_000, '312 kB'), (1_440_000_000, '1.44 GB')]
)
def test_sizes_are_told_as_people_do(count, words):
    assert size(count) == words
