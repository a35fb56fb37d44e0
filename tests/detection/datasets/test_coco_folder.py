"""COCO folders are found in every usual layout, and refused with what was looked for."""

import json

import pytest

from rethink_det.detection.datasets.coco_folder import CocoFolder
from rethink_det.detection.datasets.coco_part import check_images
from rethink_det.errors import UserError
from tests.detection.datasets.coco_layouts import CLASSES, LAYOUTS, write_layout


@pytest.mark.parametrize('layout', LAYOUTS)
def test_every_layout_is_found(layout, tmp_path):
    found = CocoFolder.find(write_layout(tmp_path, layout))
    assert found.classes == CLASSES
    splits = LAYOUTS[layout][2]
    assert [len(s.annotations.images) for s in (found.train, found.val)] == [4, 2]
    assert (found.test == found.val) == (len(splits) == 2)
    for split in (found.train, found.val, found.test):
        check_images(split.annotations, split.images, 'images')


def test_a_test_split_without_annotations_is_not_evaluated_on(tmp_path):
    write_layout(tmp_path, 'roboflow')
    file = tmp_path / 'test/_annotations.coco.json'
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, 'annotations': []}))
    found = CocoFolder.find(tmp_path)
    assert found.test == found.val


def test_the_file_that_the_config_names_comes_first(tmp_path):
    write_layout(tmp_path, 'coco')
    old = tmp_path / 'annotations/instances_train2014.json'
    old.write_text((tmp_path / 'annotations/instances_train2017.json').read_text())
    with pytest.raises(UserError, match='several .* train: .*2014.json, .*2017.json; leave one'):
        CocoFolder.find(tmp_path)
    usual = {'train': 'annotations/instances_train2017.json'}
    assert CocoFolder.find(tmp_path, usual).train.images == tmp_path / 'train2017'


def test_a_missing_split_is_refused_with_what_was_looked_for(tmp_path):
    write_layout(tmp_path, 'roboflow')
    (tmp_path / 'train/_annotations.coco.json').unlink()
    with pytest.raises(UserError) as refusal:
        CocoFolder.find(tmp_path, {'train': 'annotations/mine.json'})
    for pattern in (
        'no annotations of train',
        'mine.json',
        'instances_train*.json',
        '_annotations',
    ):
        assert pattern in str(refusal.value)


def test_missing_images_are_refused_with_the_folders_looked_into(tmp_path):
    write_layout(tmp_path, 'coco')
    for path in (tmp_path / 'val2017').iterdir():
        path.unlink()
    with pytest.raises(UserError, match="image 'val0.jpg' is in none of .*/val2017, .*/images"):
        CocoFolder.find(tmp_path)


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda content: content.update(images=[]), 'lists no images'),
        (lambda content: content.pop('categories'), 'is no COCO annotation file'),
        (lambda content: content['categories'][0].update(name='boat'), 'boat, tree, house: they'),
        (lambda content: content['categories'].pop(), 'ship, tree: they must be the same'),
    ],
)
def test_a_val_file_that_does_not_fit_is_refused(change, message, tmp_path):
    write_layout(tmp_path, 'coco')
    file = tmp_path / 'annotations/instances_val2017.json'
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match=f'instances_val2017.json.*{message}'):
        CocoFolder.find(tmp_path)


def test_a_val_file_may_list_the_classes_in_another_order(tmp_path):
    write_layout(tmp_path, 'coco')
    file = tmp_path / 'annotations/instances_val2017.json'
    content = json.loads(file.read_text())
    content['categories'].reverse()
    file.write_text(json.dumps(content))
    found = CocoFolder.find(tmp_path)
    assert found.classes == CLASSES
    assert found.train.has_order(CLASSES) and not found.val.has_order(CLASSES)


def test_classes_without_names_of_their_own_are_refused(tmp_path):
    write_layout(tmp_path, 'coco')
    file = tmp_path / 'annotations/instances_train2017.json'
    file.write_text(file.read_text().replace('"tree"', '"ship"'))
    with pytest.raises(UserError, match='a name of its own, but the categories are ship, ship'):
        CocoFolder.find(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match='absent is no folder'):
        CocoFolder.find(tmp_path / 'absent')
