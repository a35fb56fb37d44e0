"""CIFAR as a data set: its classes, its splits, decoded once."""

import os
import tarfile
import time

import pytest
import torch
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from PIL import Image

from rethink_det import UserError
from rethink_det.datasets import CIFAR10, ImageFolder
from tests.cifar_files import TEN, TEST, TRAIN, store

pytestmark = pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')


def test_the_class_of_a_label_is_that_of_an_image_folder(tmp_path):
    archive = CIFAR10(store(tmp_path / 'archive', 'cifar10-python'), TEST)
    for number, (image, label) in enumerate(zip(archive.images, archive.labels, strict=True)):
        folder = tmp_path / 'folder' / TEST / TEN[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f'{number}.png')
    folder = ImageFolder(tmp_path / 'folder', TEST)
    assert folder.metainfo == archive.metainfo
    order = archive.labels.argsort(stable=True)
    assert torch.equal(folder.labels, archive.labels[order])
    assert torch.equal(folder.images, archive.images[order])


@pytest.mark.slow
def test_the_real_folders_are_in_the_archives_order(shared, tmp_path):
    wanted = {f'cifar10/test/{name}' for name in TEN}
    with tarfile.open(shared / 'data' / 'cifar10_jpeg.tar.xz') as tar:
        for member in tar:  # one image of each class
            folder = os.path.dirname(member.name)
            if member.isfile() and folder in wanted:
                wanted.remove(folder)
                tar.extract(member, tmp_path, filter='data')
            if not wanted:
                break
    data = ImageFolder(tmp_path / 'cifar10', TEST)
    assert data.metainfo['classes'] == TEN
    assert data.images.shape == (10, 3, 32, 32)


def test_mmengine_builds_them_by_their_scoped_names(tmp_path):
    store(tmp_path, 'cifar100-binary')
    config = dict(type='rethink_det.CIFAR100', data_root=str(tmp_path), limit=100)
    data = MMENGINE_DATASETS.build(config)
    assert data.labels.bincount().tolist() == [1] * 100


def test_held_out_images_are_those_that_training_lacks(tmp_path):
    store(tmp_path, 'cifar10-python')
    whole, part, held = (
        CIFAR10(tmp_path, split, val=val) for split, val in ((TRAIN, 0), (TRAIN, 30), ('val', 30))
    )
    assert (len(part), len(held)) == (70, 30)
    assert held.labels.bincount().tolist() == [3] * 10
    pixels = [{image.numpy().tobytes() for image in data.images} for data in (whole, part, held)]
    assert pixels[1] | pixels[2] == pixels[0] and not pixels[1] & pixels[2]
    assert len(CIFAR10(tmp_path, TEST, val=30)) == 20


@pytest.mark.parametrize(
    'wrong, named',
    [
        (dict(split='validation'), "split='validation'"),
        (dict(split='val'), 'set val to the number'),
        (dict(val=7), 'val=7: expected a multiple of 10'),
        (dict(val=100), 'less than 100'),
        (dict(limit=11), 'limit=11'),
    ],
)
def test_impossible_splits_are_refused(tmp_path, wrong, named):
    store(tmp_path, 'cifar10-binary')
    with pytest.raises(UserError, match=named):
        CIFAR10(tmp_path, **wrong)


def test_new_files_are_decoded_anew(tmp_path):
    store(tmp_path, 'cifar10-binary')
    file = tmp_path / 'cifar-10-batches-bin' / 'data_batch_1.bin'
    before = CIFAR10(tmp_path)
    content = bytearray(file.read_bytes())
    content[1] ^= 255
    time.sleep(0.02)
    file.write_bytes(content)
    after = CIFAR10(tmp_path)
    assert (before.images != after.images).sum() == 1
