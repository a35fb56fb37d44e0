"""Whatever a study says: it is refused by its file and key as it is read, or it can run."""

from itertools import islice
from pathlib import Path

import pytest

from rethink_det.report import StudyResults
from tests.fuzz.generators import SOURCES, study_values
from tests.tiny_detector import write_mask_rcnn

WHOLE, SAMPLE, RUN = 600, 24, 12


@pytest.fixture(scope='module')
def written(tiny_config_in, tmp_path_factory):
    """A folder with the configs of a tiny classifier and a small detector on embedded shapes."""
    folder = tmp_path_factory.mktemp('fuzz')
    tiny_config_in(folder, epochs=1).dump(folder / 'net.py')
    detector, _ = write_mask_rcnn(folder)
    detector.dump(folder / 'det.py')
    return folder


@pytest.fixture
def folder(written, monkeypatch):
    monkeypatch.chdir(written)
    return written


@pytest.mark.parametrize('count', [SAMPLE, pytest.param(WHOLE, marks=pytest.mark.slow)])
def test_a_study_is_refused_by_its_key_or_planned(count, folder, command):
    values = islice(study_values(16, WHOLE), 0, None, WHOLE // count)
    told = [_told(command, folder, value) for value in values]
    assert len(told) == count
    if wrong := [f'{one}' for one in told if one]:
        pytest.fail('\n'.join(wrong))


def _told(command, folder: Path, value):
    """What is wrong with the end of a dry run; nothing if it was planned or refused in a line."""
    (folder / 'study.py').write_text(value.source)
    try:
        done = command('study', 'study.py', '--dry-run')
    except BaseException as error:
        return value, repr(error)
    lines = done.err.splitlines()
    refused = done.status == 2 and len(lines) == 1 and 'study.py' in lines[0]
    planned = done.status == 0 and 'runs' in done.out
    return None if planned or refused else (value, done)


CLASSIFIERS_ALONE = "study['detection'] = []\nstudy['seeds'] = [0]\n"


@pytest.mark.slow
def test_what_a_dry_run_accepts_is_done_and_reported(folder, command, tmp_path):
    done = 0
    for value in study_values(17, len(SOURCES) * 20):
        if not value.place or value.place[0] == 'detection' or value.place == ('seeds',):
            continue
        (folder / 'study.py').write_text(value.source + CLASSIFIERS_ALONE)
        if command('study', 'study.py', '--dry-run').status:
            continue
        work = tmp_path / f'work{done}'
        ended = command('study', 'study.py', '--work-dir', work)
        lost = StudyResults.read(work).incomplete
        assert (ended.status, lost) == (0, []), (value, ended.err, [run.error for run in lost])
        done += 1
        if done == RUN:
            return
    raise AssertionError(f'only {done} were accepted')
