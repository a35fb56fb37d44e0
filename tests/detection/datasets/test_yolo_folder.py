"""Folders in YOLO's format: what their YAML file may say, and what it may not."""

import pytest

from rethink_det.detection.datasets.coco_folder import CocoFolder
from rethink_det.detection.datasets.yolo_folder import find_yolo
from rethink_det.errors import UserError
from tests.detection.datasets.exports import drawn_photos, roboflow_yolo, ultralytics


@pytest.fixture
def root(tmp_path):
    photos = drawn_photos(tmp_path / 'photos')
    ultralytics(tmp_path / 'data', photos[:6], photos[6:])
    return tmp_path / 'data'


def change(root, old, new, file='mine.yaml'):
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new))


def test_several_folders_are_one_part(root):
    change(root, 'train: images/train', 'train: [images/train, images/val]')
    found = find_yolo(root)
    assert [len(found.splits[split]) for split in ('train', 'val')] == [10, 4]
    assert 'pictures without one' in found.how and 'mine.yaml' in found.how


def test_pictures_outside_of_the_folder_are_found(root, tmp_path):
    moved = tmp_path / 'elsewhere'
    moved.mkdir()
    for name in ('images', 'labels'):
        (root / name).rename(moved / name)
    change(root, 'path: ../datasets/mine', f'path: {moved}')
    found = CocoFolder.find(root)
    assert found.train.images == moved / 'images/train'
    assert (found.train.images / found.train.annotations.images[0].name).is_file()


@pytest.mark.parametrize('place', ['/content/datasets/mine-1/', 'C:\\data\\mine\\'])
def test_paths_of_another_machine_end_in_those_of_this(place, root):
    slash = place[-1]
    change(root, 'path: ../datasets/mine # root\n', '')
    for split in ('train', 'val'):
        change(root, f'images/{split}', f'{place}images{slash}{split}')
    found = find_yolo(root)
    assert [len(found.splits[split]) for split in ('train', 'val')] == [6, 4]


def test_no_yaml_and_no_names_is_no_such_folder(root):
    (root / 'mine.yaml').write_text('a: 1\n')
    assert find_yolo(root) is None
    (root / 'mine.yaml').unlink()
    (root / 'classes.txt').write_text('ship\n')
    for file in (root / 'labels').rglob('*.txt'):
        file.unlink()
    assert find_yolo(root) is None
    with pytest.raises(UserError, match='for data.yaml or classes.txt'):
        CocoFolder.find(root)


@pytest.mark.parametrize(
    'old, new, message',
    [
        ('  0: ', '  5: ', 'must number the classes from 0 on, without a gap'),
        ('names:\n', 'nc: 9\nnames:\n', 'nc is 9, but there are 3 names'),
        ('1: ship', '1: house', 'a name of its own'),
        ('images/val', 'images/absent', "names 'images/absent', which is not there"),
        ('images/val', 'labels/val', "val is 'labels/val', where no pictures are"),
        ('names:', '[names:', 'is no YAML file'),
        ('names:', 'names: !!python/object/apply:os.mkdir [proof]\nother:', 'is no YAML file'),
    ],
)
def test_a_yaml_file_that_makes_no_sense_is_refused(old, new, message, root, monkeypatch):
    monkeypatch.chdir(root)
    change(root, old, new)
    with pytest.raises(UserError, match=message):
        find_yolo(root)
    assert not (root / 'proof').exists()


def test_a_part_without_labels_is_refused(root):
    for file in (root / 'labels/val').iterdir():
        file.unlink()
    with pytest.raises(UserError, match='none of 4 pictures of val has a file of labels; looked'):
        find_yolo(root)


def test_a_list_of_pictures_that_are_gone_is_refused(root):
    (root / 'val.txt').write_text('./images/val/gone.jpg\n')
    change(root, 'val: images/val', 'val: val.txt')
    change(root, 'path: ../datasets/mine', 'path: .')
    with pytest.raises(UserError, match='val.txt: 1 pictures are not there: ./images/val/gone.jpg'):
        find_yolo(root)


def test_the_folder_of_roboflow_is_the_one_beside_the_file(tmp_path):
    """``../train/images`` leads out of it, where there may be others."""
    photos = drawn_photos(tmp_path / 'photos')
    roboflow_yolo(tmp_path / 'data', photos[:6], photos[6:])
    found = find_yolo(tmp_path / 'data')
    assert {len(part) for part in found.splits.values()} == {6, 4}
    assert found.splits['train'][0].path.is_relative_to(tmp_path / 'data')
