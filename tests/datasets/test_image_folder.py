"""Folders of images become the same tensors, or an error that names the file."""

import numpy as np
import pytest
from PIL import Image

from rethink_det import UserError
from rethink_det.datasets import ImageFolder


def write(folder, name, value, size=(4, 4)):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), value, dtype=np.uint8)).save(folder / name)


@pytest.fixture
def root(tmp_path):
    for label, name in enumerate(('bird', 'cat')):
        for number in (10, 2, 1):
            write(tmp_path / 'train' / name, f'{number}.png', 100 * label + number)
    return tmp_path


def values(data):
    return data.images[:, 0, 0, 0].tolist()


def test_classes_are_sorted_and_files_in_numeric_order(root):
    data = ImageFolder(root)
    assert data.metainfo == dict(classes=('bird', 'cat'))
    assert values(data) == [1, 2, 10, 101, 102, 110]
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.images.shape == (6, 3, 4, 4)


def test_the_order_of_classes_can_be_given(root):
    data = ImageFolder(root, classes=['cat', 'bird'])
    assert values(data) == [101, 102, 110, 1, 2, 10]
    assert len(ImageFolder(root, classes=['cat'])) == 3


def test_limit_reads_the_first_files_of_each_class(root):
    (root / 'train' / 'cat' / '10.png').write_bytes(b'not read')
    assert values(ImageFolder(root, limit=4)) == [1, 2, 101, 102]


def test_training_images_can_be_held_out(root):
    train, held = (ImageFolder(root, split, val=2) for split in ('train', 'val'))
    assert held.labels.tolist() == [0, 1]
    assert sorted(values(train) + values(held)) == [1, 2, 10, 101, 102, 110]


def test_pixels_are_decoded_once_and_kept_beside_the_data(root, monkeypatch):
    first = ImageFolder(root)
    (kept,) = (root / 'decoded').iterdir()
    assert kept.name.startswith('train-')
    monkeypatch.setattr('rethink_det.datasets.image_folder._read', None)
    assert values(ImageFolder(root)) == values(first)
    write(root / 'train' / 'cat', '11.png', 111)
    monkeypatch.undo()
    assert values(ImageFolder(root, cache=False)) == [1, 2, 10, 101, 102, 110, 111]
    assert list((root / 'decoded').iterdir()) == [kept]


@pytest.mark.parametrize(
    ('wrong', 'named'),
    [
        (dict(split='val'), "split='val'"),
        (dict(val=3), 'val=3'),
        (dict(split='test'), 'no such folder'),
        (dict(limit=3), 'limit=3'),
        (dict(limit=8), 'limit=8'),
        (dict(classes=['cat', 'dog']), 'no class folder dog; there are bird, cat'),
        (dict(classes=['cat', 'cat']), 'different folder names'),
        (dict(classes='cat'), 'different folder names'),
    ],
)
def test_refuses_what_the_folder_does_not_have(root, wrong, named):
    with pytest.raises(UserError, match=named):
        ImageFolder(root, **wrong)


def test_refuses_a_split_or_a_class_without_content(root):
    (root / 'test').mkdir()
    with pytest.raises(UserError, match='no class folders'):
        ImageFolder(root, split='test')
    (root / 'train' / 'ant').mkdir()
    with pytest.raises(UserError, match='ant: no images'):
        ImageFolder(root)


def test_refuses_an_unreadable_image_and_one_of_another_size(root):
    write(root / 'train' / 'cat', '3.png', 0, size=(5, 4))
    with pytest.raises(UserError, match='3.png: 5 x 4 pixels, expected 4 x 4'):
        ImageFolder(root)
    (root / 'train' / 'cat' / '3.png').write_bytes(b'\x89PNG cut short')
    with pytest.raises(UserError, match='3.png: not readable'):
        ImageFolder(root)


@pytest.mark.parametrize('classes', [3, [], ['cat', 3]], ids=str)
def test_refuses_classes_that_are_no_names(root, classes):
    with pytest.raises(UserError, match='expected a list of different folder names'):
        ImageFolder(root, classes=classes)


@pytest.mark.parametrize('given', [None, ['bird', 'cat']])
def test_refuses_splits_of_other_classes(root, given):
    write(root / 'test' / 'bird', '1.png', 5)
    with pytest.raises(UserError, match='test: no class folder cat'):
        ImageFolder(root, split='test', classes=given)
    if given is None:
        with pytest.raises(UserError, match='test: no class folder cat, which .*train has'):
            ImageFolder(root)
    assert ImageFolder(root, classes=['bird']).metainfo == dict(classes=('bird',))


def test_hidden_folders_are_no_classes(root):
    (root / 'train' / '.ipynb_checkpoints').mkdir()
    assert ImageFolder(root).metainfo == dict(classes=('bird', 'cat'))


@pytest.mark.parametrize('value', [0, 257, 40 * 257, 65535])
def test_16_bits_keep_their_upper_8(tmp_path, value):
    folder = tmp_path / 'train' / 'grey'
    folder.mkdir(parents=True)
    Image.fromarray(np.full((4, 4), value, np.uint16)).save(folder / '1.png')
    data = ImageFolder(tmp_path)
    assert data.images.unique().tolist() == [value // 257]
    assert data.images.shape == (1, 3, 4, 4)
