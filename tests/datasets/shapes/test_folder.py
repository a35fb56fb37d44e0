"""The shapes folder comes to be once, in one process or several, and never over other data."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from rethink_det import UserError
from rethink_det.datasets.shapes import build_shapes

BUILD = (
    'import sys; from rethink_det.datasets.shapes import build_shapes; '
    "print('go', flush=True); "
    'build_shapes(sys.argv[1], crops=(int(sys.argv[2]), 16), images=(6, 3))'
)


def start_builder(root, crops):
    return subprocess.Popen(
        [sys.executable, '-c', BUILD, str(root), str(crops)], stdout=subprocess.PIPE, text=True
    )


def times(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob('*')}


def test_a_finished_folder_is_reused_untouched(shapes_root, sizes):
    before = times(shapes_root)
    assert build_shapes(shapes_root, **sizes) == shapes_root
    assert times(shapes_root) == before


def test_an_empty_folder_is_filled(tmp_path, sizes):
    root = tmp_path / 'shapes'
    root.mkdir()
    build_shapes(root, **sizes)
    assert (root / 'shapes.json').is_file()
    assert os.listdir(tmp_path) == ['shapes']


@pytest.mark.slow
def test_two_processes_build_one_folder_together(tmp_path, sizes):
    root = tmp_path / 'deep' / 'shapes'
    builders = [start_builder(root, 80) for _ in range(2)]
    assert [builder.communicate() and builder.returncode for builder in builders] == [0, 0]
    assert os.listdir(root.parent) == ['shapes']
    build_shapes(root, **sizes)


@pytest.mark.slow
def test_a_killed_build_leaves_no_folder_and_the_next_one_succeeds(tmp_path, sizes):
    root = tmp_path / 'shapes'
    builder = start_builder(root, 200000)
    builder.stdout.readline()
    deadline = time.monotonic() + 20
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    builder.send_signal(signal.SIGKILL)
    builder.communicate()
    assert [path.name[:17] for path in tmp_path.iterdir()] == ['.shapes.building-']
    build_shapes(root, **sizes)
    assert os.listdir(tmp_path) == ['shapes']


@pytest.mark.parametrize(
    'other', [dict(seed=1), dict(crops=(88, 16)), dict(images=(6, 4))], ids=str
)
def test_refuses_a_folder_of_other_parameters(shapes_root, other, sizes):
    before = times(shapes_root)
    with pytest.raises(UserError, match=f'{next(iter(other))}=.*another data_root'):
        build_shapes(shapes_root, **{**sizes, **other})
    assert times(shapes_root) == before


@pytest.mark.parametrize('card', [json.dumps(dict(format_version=99)), '[]', '{'])
def test_refuses_a_folder_with_a_foreign_card(tmp_path, card, sizes):
    (tmp_path / 'shapes.json').write_text(card)
    with pytest.raises(UserError, match='choose another data_root'):
        build_shapes(tmp_path, **sizes)
    assert (tmp_path / 'shapes.json').read_text() == card


def test_refuses_a_folder_with_a_users_files(tmp_path, sizes):
    (tmp_path / 'thesis.txt').write_text('years of work')
    with pytest.raises(UserError, match='not a shapes folder'):
        build_shapes(tmp_path, **sizes)
    assert (tmp_path / 'thesis.txt').read_text() == 'years of work'


def test_refuses_a_file_in_the_place_of_the_folder(tmp_path, sizes):
    (tmp_path / 'shapes').write_text('')
    with pytest.raises(UserError, match='a file, where'):
        build_shapes(tmp_path / 'shapes', **sizes)
    with pytest.raises(UserError, match='cannot be made'):
        build_shapes(tmp_path / 'shapes' / 'below', **sizes)
