"""``rethink-det doctor``: what it finds, and that nothing keeps it from finding the rest."""

import json
import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from mmengine.hub import get_config

from rethink_det import doctor as checks
from rethink_det.compat import survey
from rethink_det.doctor import data, software
from rethink_det.doctor.hardware import check_disk
from rethink_det.doctor.operators import check_operators
from rethink_det.training.config import shipped_configs

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


def fill(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('')


def test_page_has_every_section_and_a_remedy_for_what_does_not_work(command, elsewhere):
    done = command('doctor')
    assert done.status == 0
    page = done.out.splitlines()
    assert {*checks.CHECKS, 'Works here', 'Does not work here'} <= set(page)
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
    assert ('nms_match' in expected.missing) == any('nms_match' in what for what in lacking)


def test_compiled_operators_that_do_not_load_are_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmcv._ext', None)  # its import fails
    found = check_operators()
    assert 'mmcv._ext' in found.facts['failed']
    assert not found.abilities[0].works
    assert 'mim install mmcv' in found.abilities[0].remedy


@pytest.mark.parametrize('place', data.PLACES)
def test_data_that_is_not_there_says_where_it_belongs(machine, elsewhere, place):
    found = machine()[place]
    assert found['facts'] == {'folder': 'not there'}
    for ability in found['abilities']:
        assert ability['works'] == (place == 'data/shapes')
        assert place in ability['remedy']


def test_places_are_those_that_the_configs_name():
    text = '\n'.join(path.read_text() for path in (shipped_configs() / '_base_').glob('*.py'))
    named = {root.rstrip('/') for root in re.findall(r"\bdata_root='([^']+)'", text)}
    for name in ('coco_detection', 'voc0712'):
        named.add(get_config(f'mmdet::_base_/datasets/{name}.py').data_root.rstrip('/'))
    assert named == set(data.PLACES)


def test_shapes_are_told_from_anything_else(tmp_path):
    fill(tmp_path, 'holiday.jpg')
    assert not data.check_shapes(tmp_path).abilities[0].works
    fill(tmp_path, 'shapes.json')
    assert data.check_shapes(tmp_path).abilities[0].works


def test_cifar_as_an_archive_and_extracted(elsewhere, machine):
    root = elsewhere / 'data/cifar100'
    fill(root, 'cifar-100-python/train', 'cifar-100-python/meta')
    found = able(machine()['data/cifar100'], 'CIFAR-100')
    assert not found['works']
    assert str(Path('cifar-100-python/test')) in found['remedy']
    fill(root, 'cifar-100-python/test')
    assert able(machine()['data/cifar100'], 'CIFAR-100')['works']
    with tarfile.open(elsewhere / 'cifar-10-binary.tar.gz', 'w:gz'):
        pass
    (elsewhere / 'data/cifar10').mkdir()
    (elsewhere / 'cifar-10-binary.tar.gz').rename(elsewhere / 'data/cifar10/cifar-10-binary.tar.gz')
    found = machine()['data/cifar10']
    assert found['facts']['as published'] == 'cifar-10-binary.tar.gz'
    assert able(found, 'CIFAR-10 studies')['works']
    assert not able(found, 'CPU study')['works']


@pytest.mark.parametrize('classes', [9, 10])
def test_cifar10_as_images(tmp_path, classes):
    tmp_path = tmp_path / 'cifar10'
    for split in ('train', 'test'):
        fill(tmp_path, *(f'{split}/{name}/{i}.jpg' for name in range(classes) for i in range(2)))
    found = data.check_cifar10(tmp_path)
    assert found.facts['as images']['test'] == f'{2 * classes} in {classes} classes'
    _, images, study = found.abilities
    assert images.works == (classes == 10)
    assert not study.works
    assert str(tmp_path.parent / 'resnet56.pth') in study.remedy


def test_imagenet_needs_every_class_in_both_splits(tmp_path, monkeypatch):
    monkeypatch.setattr(data, 'IMAGENET_CLASSES', 3)
    fill(tmp_path, *(f'{split}/n{i}/1.JPEG' for split in ('train', 'val') for i in range(3)))
    assert data.check_imagenet(tmp_path).abilities[0].works
    (tmp_path / 'val/n2/1.JPEG').unlink()  # a class without images
    found = data.check_imagenet(tmp_path)
    assert found.facts['val'] == '2 of 3 class folders with images'
    assert not found.abilities[0].works


def test_coco_says_what_is_lacking(tmp_path, monkeypatch):
    monkeypatch.setattr(data, 'COCO_IMAGES', dict(train2017=2, val2017=1))
    annotations = [f'annotations/instances_{split}.json' for split in ('train2017', 'val2017')]
    fill(tmp_path, 'train2017/1.jpg', 'val2017/1.jpg', *annotations[1:])
    (found,) = data.check_coco(tmp_path).abilities
    assert not found.works
    assert f'{annotations[0]}, train2017/;' in found.remedy
    fill(tmp_path, 'train2017/2.jpg', annotations[0])
    assert data.check_coco(tmp_path).abilities[0].works


def test_voc_needs_every_image_that_its_lists_name(tmp_path):
    for year, lists in data.VOC_LISTS.items():
        fill(tmp_path / year, 'JPEGImages/1.jpg', 'JPEGImages/2.jpg', 'Annotations/1.xml')
        for name in lists:
            file = tmp_path / year / 'ImageSets' / 'Main' / f'{name}.txt'
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text('1\n')
    assert data.check_voc(tmp_path).abilities[0].works
    file.write_text('1\n2\n')  # the last list: 2 has no annotation
    found = data.check_voc(tmp_path)
    assert found.facts['VOC2012 trainval'] == '1 of 2 images'
    assert not found.abilities[0].works
    assert 'VOC2007' not in found.abilities[0].remedy


def test_disk_of_the_nearest_folder_that_exists(tmp_path):
    found = check_disk(tmp_path / 'a' / 'b')
    assert found.facts['total_gb'] > 0
    assert found.facts['writable']
    assert not (tmp_path / 'a').exists()
    fill(tmp_path, 'a')  # a file, where the folder should be
    assert not check_disk(tmp_path / 'a').abilities[0].works


def test_a_check_that_fails_leaves_the_others_alone(command, elsewhere, monkeypatch):
    def broken():
        raise OSError('stale file handle')

    monkeypatch.setitem(checks.CHECKS, 'data/coco', broken)
    done = command('doctor')
    assert done.status == 0
    assert 'OSError: stale file handle' in done.out
    assert 'examine data/coco' in done.out
    assert 'work_dirs' in done.out


ONEDL = dict.fromkeys(software.LINES['onedl'], '1.0')
OPENMMLAB = dict.fromkeys(software.LINES['openmmlab'], '1.0')


def test_a_complete_line_is_enough():
    for line, found in (('onedl', dict(onedl=ONEDL, openmmlab={})),
                        ('openmmlab', dict(onedl={}, openmmlab=OPENMMLAB))):  # fmt: skip
        judged = software.judge_line(found, has_pkg_resources=True)
        assert judged.facts['line'] == line
        assert not judged.essential_missing
        assert all(ability.works for ability in judged.abilities)


@pytest.mark.parametrize(
    'onedl, openmmlab, essential_missing, remedy',
    [
        ({}, {}, True, 'rethink-det[onedl]'),
        ({'onedl-mmcv': '1'}, {}, True, 'belong together'),
        ({'onedl-mmcv': '1'}, {'mmdet': '1'}, True, 'pip uninstall -y onedl-mmcv mmdet'),
        (ONEDL, OPENMMLAB, False, 'overwrite each other'),
    ],
)
def test_lines_that_do_not_work(onedl, openmmlab, essential_missing, remedy):
    found = software.judge_line(dict(onedl=onedl, openmmlab=openmmlab), has_pkg_resources=True)
    assert found.essential_missing == essential_missing
    assert [ability.works for ability in found.abilities] == [False]
    assert remedy in found.abilities[0].remedy


def test_the_official_line_needs_pkg_resources():
    found = dict(onedl={}, openmmlab=OPENMMLAB)
    (ability,) = software.judge_line(found, has_pkg_resources=False).abilities
    assert not ability.works
    assert 'setuptools<81' in ability.remedy


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
    done = subprocess.run(
        [sys.executable, REPOSITORY / 'tools' / 'doctor.py'],
        env={**os.environ, 'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert 'rethink-det[onedl]' in done.stderr
    assert 'Traceback' not in done.stderr


def test_unknown_options_are_refused(command):
    assert command('doctor', '--jsn').status == 2
