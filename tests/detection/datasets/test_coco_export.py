"""COCO files that lack something: what is put in, and what is left as it is."""

import json

import pytest

from rethink_det.detection.datasets.coco_export import mended, read_coco
from rethink_det.detection.datasets.coco_folder import CocoFolder
from rethink_det.errors import UserError
from tests.detection.datasets.exports import (
    coco,
    copied,
    cvat_coco,
    drawn_photos,
    names_of,
    write,
)


@pytest.fixture
def photos(tmp_path):
    return drawn_photos(tmp_path / 'photos')


def test_only_what_is_absent_is_put_in(photos, tmp_path):
    root, names = tmp_path / 'data', names_of(photos)
    copied(photos, root)
    content = coco(photos, names)
    rows = content['annotations']
    rows[0].update(area=None, segmentation=[[0, 0, 10, 0, 10, 10]])
    rows[1].update(area=None, segmentation=dict(size=[64, 96], counts=[10, 5, 100, 7]))
    rows[2].update(area=None, segmentation=dict(size=[64, 96], counts='PPYo0'))
    rows[3].update(area=0)
    rows[4].update(bbox=None, segmentation=[[3, 4, 13, 4, 13, 24]])
    write(content, root / 'labels.json')
    found, told = mended(root / 'labels.json', root)
    rows = found['annotations']
    assert rows[0]['area'] == 50 and rows[1]['area'] == 12 and rows[3]['area'] == 0
    assert rows[4]['bbox'] == [3, 4, 10, 20]
    assert told == 'bbox of 1 objects by their polygons, area of 3 objects'
    write(found, root / 'again.json')
    assert mended(root / 'again.json', root) is None


@pytest.mark.parametrize('text', ['{', '[]', '{"images": []}', '[' * 100_000])
def test_what_is_no_coco_file_is_none(text, tmp_path):
    (tmp_path / 'a.json').write_text(text)
    assert read_coco(tmp_path / 'a.json') is None and mended(tmp_path / 'a.json', tmp_path) is None


def test_what_is_wrong_stays_and_names_the_users_file(photos, tmp_path):
    root = tmp_path / 'data'
    cvat_coco(root, photos[:6], photos[6:])
    file = root / 'annotations/instances_Train.json'
    content = json.loads(file.read_text())
    content['annotations'][0].update(area='big')
    del content['annotations'][1]['area']
    write(content, file)
    with pytest.raises(UserError, match='instances_Train.json: 1 of .* have no area'):
        CocoFolder.find(root)


def test_pictures_of_another_part_are_not_taken_for_its_own(photos, tmp_path):
    root = tmp_path / 'data'
    cvat_coco(root, photos[:6], photos[6:])
    for photo in photos[6:]:
        (root / 'images/Validation' / photo.path.name).rename(
            root / 'images/Train' / photo.path.name
        )
    with pytest.raises(UserError, match="its first image 'photo 6.jpg' is in none of"):
        CocoFolder.find(root)


def test_of_two_files_without_a_name_none_is_chosen(photos, tmp_path):
    copied(photos, tmp_path / 'data/images')
    for name in ('one', 'two'):
        write(coco(photos, names_of(photos)), tmp_path / 'data' / f'{name}.json')
    with pytest.raises(UserError, match='several COCO files.*: one.json, two.json. Call them'):
        CocoFolder.find(tmp_path / 'data')
