"""``rethink-det doctor``: what it finds, and that nothing keeps it from finding the rest."""

import json
import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from rethink_det import doctor
from rethink_det.compat import survey
from rethink_det.doctor import data, software
from tests.empty_files import write_empty

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def machine(command):
    """Runs ``rethink-det doctor --json``; the checks by name."""

    def run(status=0):
        done = command('doctor', '--json')
        assert done.status == status, done.err
        return json.loads(done.out)['checks']

    return run


def able(finding, word):
    """The one ability of a finding that is about ``word``."""
    (found,) = (ability for ability in finding['abilities'] if word in ability['what'])
    return found


def test_page_has_every_section_and_a_remedy_for_what_does_not_work(command, elsewhere):
    done = command('doctor')
    assert done.status == 0
    page = done.out.splitlines()
    assert {*doctor.CHECKS, 'Works here', 'Does not work here'} <= set(page)
    wanting = page[page.index('Does not work here') + 1 :]
    assert len(wanting) % 2 == 0
    assert all(line.startswith('    -> ') for line in wanting[1::2])
    assert max(map(len, page)) < 400
    assert 'data/coco' in done.out


def test_versions_are_those_installed(machine, elsewhere):
    found = machine()
    assert found['versions']['facts']['torch'] == version('torch')
    parts = software.LINES[found['MMEngine line']['facts']['line']]
    assert found['MMEngine line']['facts'][parts[0]] == version(parts[0])


def test_device_is_torchs(machine, elsewhere):
    facts = machine()['device']['facts']
    assert facts['CPU threads'] == torch.get_num_threads()
    assert facts['GPUs'] == torch.cuda.device_count()
    if facts['GPUs']:
        assert facts['GPU 0']['name'] == torch.cuda.get_device_name(0)


def test_operators_are_the_surveys(machine, elsewhere):
    found, expected = machine()['mmcv operators'], survey()
    assert found['facts']['of rethink_det'] == list(expected.supplied)
    assert found['facts']['missing'] == list(expected.missing)
    assert able(found, 'detectors on cpu')['works']
    lacking = [a['what'] for a in found['abilities'] if not a['works']]
    assert ('roi_pool_forward' in expected.missing) == any('roi_pool' in what for what in lacking)


@pytest.mark.parametrize('place', data.PLACES)
def test_data_that_is_not_there_says_where_it_belongs(machine, elsewhere, place):
    found = machine()[place]
    assert found['facts'] == {'folder': 'not there'}
    for ability in found['abilities']:
        assert ability['works'] == (place == 'data/shapes')
        assert place in ability['remedy']


def test_cifar_as_an_archive_and_extracted(elsewhere, machine):
    root = elsewhere / 'data/cifar100'
    write_empty(root, 'cifar-100-python/train', 'cifar-100-python/meta')
    found = able(machine()['data/cifar100'], 'CIFAR-100')
    assert not found['works']
    assert str(Path('cifar-100-python/test')) in found['remedy']
    write_empty(root, 'cifar-100-python/test')
    assert able(machine()['data/cifar100'], 'CIFAR-100')['works']
    with tarfile.open(elsewhere / 'cifar-10-binary.tar.gz', 'w:gz'):
        pass
    (elsewhere / 'data/cifar10').mkdir()
    (elsewhere / 'cifar-10-binary.tar.gz').rename(elsewhere / 'data/cifar10/cifar-10-binary.tar.gz')
    found = machine()['data/cifar10']
    assert found['facts']['as published'] == 'cifar-10-binary.tar.gz'
    assert able(found, 'CIFAR-10 studies')['works']
    assert not able(found, 'CPU study')['works']


def test_a_check_that_fails_leaves_the_others_alone(command, elsewhere, monkeypatch):
    def broken():
        raise OSError('stale file handle')

    monkeypatch.setitem(doctor.CHECKS, 'data/coco', broken)
    done = command('doctor')
    assert done.status == 0
    assert 'OSError: stale file handle' in done.out
    assert 'examine data/coco' in done.out
    assert 'work_dirs' in done.out


def test_a_missing_line_is_exit_status_2(command, elsewhere, monkeypatch):
    monkeypatch.setattr(software, 'LINES', dict(onedl=('no-such-a', 'no-such-b')))
    done = command('doctor')
    assert done.status == 2
    assert 'anything' in done.out


HIDE_MMENGINE = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name.split('.')[0] == 'mmengine' else find(name, *rest)
)
"""


def test_without_mmengine_the_script_says_what_to_install(tmp_path):
    (tmp_path / 'sitecustomize.py').write_text(HIDE_MMENGINE)
    paths = [str(tmp_path), str(REPOSITORY), os.environ.get('PYTHONPATH', '')]
    done = subprocess.run(
        [sys.executable, REPOSITORY / 'tools' / 'doctor.py'],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert 'rethink-det[onedl]' in done.stderr
    assert 'Traceback' not in done.stderr


def test_unknown_options_are_refused(command):
    assert command('doctor', '--jsn').status == 2
