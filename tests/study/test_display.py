"""Without a terminal a study tells, a line a minute, how far each of its runs is."""

import time

import pytest

from rethink_det.report.run_times import Progress, read_progress
from rethink_det.study.display import Display
from tests.study.test_executors import until


class Named:
    """All that the display asks a run for."""

    def __init__(self, key):
        self.key, self.stage, self.model, self.arm = key, 'classification', '', 'scratch-e'


@pytest.fixture
def run(tmp_path):
    run = Named('classification/scratch-e-seed0')
    run.folder = tmp_path / 'runs' / f'{run.key}-01234567'
    run.folder.mkdir(parents=True)
    return run


def write(run, **progress):
    (run.folder / 'progress.txt').write_text(Progress(**progress).text)


def lines_of(run, capsys, after, every=0.02):
    """What is printed while the run gets from 100 iterations to those ``after``."""
    said = []
    with Display([run], run.folder.parents[2], every=every) as display:
        write(run, done=100, total=400, epochs=8, loss=2.0)
        display.start(run)
        time.sleep(0.2)
        said.append(capsys.readouterr().err)
        write(run, done=after, total=400, epochs=8, loss=1.25)
        until(lambda: said.append(capsys.readouterr().err) or any(said) or every > 1)
    return ''.join(said).splitlines()


def test_a_line_names_run_epoch_loss_and_what_is_left(run, capsys):
    first = lines_of(run, capsys, after=200)[0]
    assert first.startswith('classification/scratch-e-seed0  epoch 5 of 8, loss 1.25, about ')
    assert first.endswith(' of training left')


def test_what_was_trained_before_a_kill_says_nothing_of_the_speed(run, capsys):
    # 100 iterations were there at once; 2 took 0.2 s, so that the 298 left take 20 s and more.
    words = lines_of(run, capsys, after=102)[0].split()
    seconds = float(words[words.index('about') + 1])
    assert words[words.index('about') + 2] == 's' and seconds > 15


def test_the_progress_of_an_earlier_recipe_says_nothing_of_this_one(run, capsys):
    said = []
    with Display([run], run.folder.parents[2], every=0.02) as display:
        write(run, done=400, total=400, epochs=8)
        display.start(run)
        time.sleep(0.2)
        write(run, done=10, total=400, epochs=8)
        time.sleep(0.2)
        write(run, done=20, total=400, epochs=8)
        until(lambda: said.append(capsys.readouterr().err) or any(said))
    assert '-' not in ''.join(said).split('about')[1].split('of training')[0]


def test_nothing_is_said_of_a_run_that_stands(run, capsys):
    assert lines_of(run, capsys, after=100, every=5) == []


@pytest.mark.parametrize('text', ['', 'x', '1', '1 2 3', '1 2 3 4 5', '1 2 x None'])
def test_progress_that_makes_no_sense_is_none(run, text):
    (run.folder / 'progress.txt').write_text(text)
    assert read_progress(run.folder) == Progress()


@pytest.mark.parametrize('known', [Progress(3, 9, 2, 0.5), Progress(3, 9, 2), Progress()])
def test_progress_is_read_as_it_was_written(run, known):
    (run.folder / 'progress.txt').write_text(known.text)
    assert read_progress(run.folder) == known


def test_progress_of_an_older_release_is_iterations_alone(run):
    (run.folder / 'progress.txt').write_text('3 9')
    assert read_progress(run.folder) == Progress(3, 9)
    assert read_progress(run.folder).epoch == 0
