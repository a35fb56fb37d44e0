"""Which data sets are there, how much of each, and where the rest belongs."""

import re

import pytest
from mmengine.hub import get_config

from rethink_det.doctor import data
from rethink_det.training.config import shipped_configs
from tests.empty_files import write_empty


def test_places_are_those_that_the_configs_name():
    text = '\n'.join(path.read_text() for path in (shipped_configs() / '_base_').glob('*.py'))
    named = {root.rstrip('/') for root in re.findall(r"\bdata_root='([^']+)'", text)}
    for name in ('coco_detection', 'voc0712'):
        named.add(get_config(f'mmdet::_base_/datasets/{name}.py').data_root.rstrip('/'))
    assert named == set(data.PLACES)


def test_shapes_are_told_from_anything_else(tmp_path):
    write_empty(tmp_path, 'holiday.jpg')
    assert not data.check_shapes(tmp_path).abilities[0].works
    write_empty(tmp_path, 'shapes.json')
    assert data.check_shapes(tmp_path).abilities[0].works


@pytest.mark.parametrize('classes', [9, 10])
def test_cifar10_as_images(tmp_path, classes):
    tmp_path = tmp_path / 'cifar10'
    for split in ('train', 'test'):
        write_empty(
            tmp_path, *(f'{split}/{name}/{i}.jpg' for name in range(classes) for i in range(2))
        )
    found = data.check_cifar10(tmp_path)
    assert found.facts['as images']['test'] == f'{2 * classes} in {classes} classes'
    _, images, study = found.abilities
    assert images.works == (classes == 10)
    assert not study.works
    assert str(tmp_path.parent / 'resnet56.pth') in study.remedy


def test_imagenet_needs_every_class_in_both_splits(tmp_path, monkeypatch):
    monkeypatch.setattr(data, 'IMAGENET_CLASSES', 3)
    write_empty(tmp_path, *(f'{split}/n{i}/1.JPEG' for split in ('train', 'val') for i in range(3)))
    assert data.check_imagenet(tmp_path).abilities[0].works
    (tmp_path / 'val/n2/1.JPEG').unlink()  # a class without images
    found = data.check_imagenet(tmp_path)
    assert found.facts['val'] == '2 of 3 class folders with images'
    assert not found.abilities[0].works


def test_coco_says_what_is_lacking(tmp_path, monkeypatch):
    monkeypatch.setattr(data, 'COCO_IMAGES', dict(train2017=2, val2017=1))
    annotations = [f'annotations/instances_{split}.json' for split in ('train2017', 'val2017')]
    write_empty(tmp_path, 'train2017/1.jpg', 'val2017/1.jpg', *annotations[1:])
    (found,) = data.check_coco(tmp_path).abilities
    assert not found.works
    assert f'{annotations[0]}, train2017/;' in found.remedy
    write_empty(tmp_path, 'train2017/2.jpg', annotations[0])
    assert data.check_coco(tmp_path).abilities[0].works


def test_voc_needs_every_image_that_its_lists_name(tmp_path):
    for year, lists in data.VOC_LISTS.items():
        write_empty(tmp_path / year, 'JPEGImages/1.jpg', 'JPEGImages/2.jpg', 'Annotations/1.xml')
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
