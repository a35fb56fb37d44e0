"""Each published version gives the same images, and files of another layout are refused."""

import numpy as np
import pytest
import torch

from rethink_det import UserError
from rethink_det.datasets import CIFAR10
from tests.cifar_files import HUNDRED, KINDS, TEN, TEST, TRAIN, drawn, dump, store

pytestmark = pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')


def expected(kind, split):
    classes = 100 if '100' in kind else 10
    files = KINDS[kind][1].splits
    first = 0 if split == TRAIN else len(files[TRAIN])
    parts = [drawn(2 * classes, classes, first + i) for i in range(len(files[split]))]
    pixels, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return torch.from_numpy(pixels).view(-1, 3, 32, 32), torch.from_numpy(labels)


@pytest.mark.parametrize('packed', [False, True], ids=['folder', 'archive'])
@pytest.mark.parametrize('kind', KINDS)
def test_each_version_gives_the_same_images_labels_and_names(tmp_path, kind, packed):
    store(tmp_path, kind, packed)
    for split in (TRAIN, TEST):
        images, labels = expected(kind, split)
        for cache in (False, True, True):
            data = KINDS[kind][0](tmp_path, split, cache=cache)
            assert torch.equal(data.images, images) and torch.equal(data.labels, labels)
            assert data.metainfo['classes'] == (HUNDRED if '100' in kind else TEN)
    assert len(list((tmp_path / 'decoded').iterdir())) == 2


@pytest.mark.parametrize(
    'fields',
    [
        {b'data': np.zeros((4, 3072), np.int64), b'labels': [0] * 4},
        {b'data': np.zeros((4, 3071), np.uint8), b'labels': [0] * 4},
        {b'data': np.zeros((4, 3072), np.uint8), b'labels': [0] * 3},
        {b'data': np.zeros((1, 3072), np.uint8), b'labels': [b'cat']},
        {b'data': [0, 1], b'labels': [0, 1]},
        {b'images': np.zeros((4, 3072), np.uint8)},
    ],
    ids=['type', 'size', 'count', 'text', 'list', 'names'],
)
def test_a_pickle_of_something_else_is_refused(tmp_path, fields):
    store(tmp_path, 'cifar10-python', test_batch=dump(fields))
    with pytest.raises(UserError, match='test_batch: expected data, uint8'):
        CIFAR10(tmp_path, TEST)
