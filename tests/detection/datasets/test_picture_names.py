"""Pictures by what files call them."""

import pytest

from rethink_det.detection.datasets.picture_names import PictureNames


@pytest.fixture
def root(tmp_path):
    for name in ('a/x.jpg', 'b/x.jpg', 'b/c/y 1.PNG', 'train/z.jpg', 'val2017/z.jpg', 'w.txt'):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path


@pytest.mark.parametrize(
    'said, path',
    [
        ('y 1.PNG', 'b/c/y 1.PNG'),
        ('photos/c/y 1.PNG', 'b/c/y 1.PNG'),
        ('C:\\data\\y 1.PNG', 'b/c/y 1.PNG'),
        ('https://host/upload/1/1a2b3c4d-y%201.PNG?sign=x', 'b/c/y 1.PNG'),
        ('/data/local-files/?d=c%2Fy%201.PNG', 'b/c/y 1.PNG'),
        ('s3://bucket/b/x.jpg', 'b/x.jpg'),
        ('a/x.jpg', 'a/x.jpg'),
        ('x.jpg', None),
        ('w.txt', None),
        ('../../etc/passwd', None),
    ],
)
def test_of_several_the_nearest_and_of_equals_none(said, path, root):
    assert PictureNames(root).find(said) == path


def test_folders_of_other_parts_are_left_out(root):
    assert PictureNames(root).find('z.jpg') is None
    assert PictureNames(root, 'val').find('z.jpg') == 'val2017/z.jpg'
    assert PictureNames(root, 'test').find('z.jpg') is None


def test_beside_a_file_of_labels(root):
    names = PictureNames(root)
    assert names.beside(root / 'b/x.xml') == 'b/x.jpg'
    assert names.beside(root / 'other.xml', 'y 1.PNG') == 'b/c/y 1.PNG'
    assert names.beside(root / 'other.xml') is None
