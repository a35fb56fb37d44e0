"""CIFAR as it is published: the same images from each version, and no code run on the way."""

import dataclasses
import hashlib
import os
import pickle
import tarfile
import time

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from PIL import Image

from rethink_det import UserError
from rethink_det.datasets import CIFAR10, CIFAR100, ImageFolder
from rethink_det.datasets.cifar.pickles import PickledArray, load_fields
from rethink_det.datasets.cifar.source import Source
from rethink_det.datasets.cifar.versions import CIFAR10_VERSIONS
from tests.cifar_files import HUNDRED, KINDS, TEN, TEST, TRAIN, drawn, dump, members, store

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


def test_python_2s_pickles_are_read_as_pickle_reads_them():
    pixels, labels = drawn(300, 10, seed=0)
    fields = {b'data': pixels, b'labels': labels.tolist(), b'batch_label': b'testing batch 1 of 1'}
    theirs = pickle.loads(dump(fields), encoding='bytes')
    assert np.array_equal(theirs[b'data'], pixels)
    ours = load_fields(dump(fields), 'file')
    assert np.array_equal(ours['data'].bytes_array(), pixels)
    assert ours['labels'] == theirs[b'labels'] and ours['batch_label'] == theirs[b'batch_label']


@pytest.mark.parametrize('protocol', range(5))
@pytest.mark.parametrize('order', 'CF')
def test_what_todays_python_packs_again_is_read_too(protocol, order):
    pixels = np.asarray(drawn(20, 10, seed=0)[0], order=order)
    fields = load_fields(pickle.dumps({'data': pixels}, protocol=protocol), 'file')
    assert np.array_equal(fields['data'].bytes_array(), pixels)


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


def test_an_extracted_folder_goes_before_an_archive(tmp_path):
    store(tmp_path, 'cifar10-binary')
    (tmp_path / CIFAR10_VERSIONS[0].archive).write_bytes(b'not read')
    assert len(CIFAR10(tmp_path)) == 100


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


# What is wrong with the files


ATTACKS = {
    'function': b"cos\nsystem\n(S'touch TARGET'\ntR.",
    'builtin': b'c__builtin__\neval\n(S\'open("TARGET", "w")\'\ntR.',
    'dotted': b'\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.',
    'deeper': b"cnumpy.testing._private.utils\nrunstring\n(S'import os'\n}tR.",
    'instance': b"(S'touch TARGET'\nios\nsystem\n.",
}


@pytest.mark.parametrize('attack', ATTACKS)
def test_a_pickle_that_asks_for_code_is_refused_and_nothing_is_run(tmp_path, attack):
    target = tmp_path / 'target'
    content = ATTACKS[attack].replace(b'TARGET', str(target).encode())
    store(tmp_path / 'data', 'cifar10-python', data_batch_3=content)
    with pytest.raises(UserError, match=r'data_batch_3: refused, .* asks for \S+\.\S+, which'):
        CIFAR10(tmp_path / 'data')
    assert not target.exists()


def test_the_attacks_are_real(tmp_path):
    pickle.loads(ATTACKS['function'].replace(b'TARGET', str(tmp_path / 'target').encode()))
    assert (tmp_path / 'target').exists()


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


def test_a_pickle_cut_anywhere_or_changed_is_refused_by_name():
    content = dump({b'data': np.zeros((2, 8), np.uint8), b'labels': [1, 2]})
    for length in range(len(content)):
        with pytest.raises(UserError, match='some-file: (damaged|refused)'):
            load_fields(content[:length], 'some-file')
    for wrong in (b'\x80\x02].', b'\x80\x02K\x01.', b'', b'<html>404</html>'):
        with pytest.raises(UserError, match='some-file: damaged'):
            load_fields(wrong, 'some-file')


def test_an_inert_array_refuses_to_become_what_it_is_not():
    with pytest.raises(ValueError, match='something else'):
        PickledArray().bytes_array()


@pytest.mark.parametrize(
    'kind, replaced, named',
    [
        ('cifar10-binary', {'data_batch_2.bin': bytes(3072)}, 'data_batch_2.bin: 3072 bytes'),
        ('cifar10-binary', {'data_batch_2.bin': b''}, 'data_batch_2.bin: 0 bytes'),
        ('cifar10-binary', {'data_batch_5.bin': b'\x0a' * 3073}, 'data_batch_5.bin: labels 10'),
        ('cifar10-binary', {'batches.meta.txt': b'cat\n'}, 'meta.txt: 1 class names, expected 10'),
        ('cifar100-python', {'meta': dump({b'label_names': []})}, 'meta: expected a list fine'),
        ('cifar100-python', {'train': b'\x80\x02'}, 'train: damaged or cut short'),
        ('cifar100-binary', {'train.bin': bytes(3073)}, 'a multiple of 3074'),
        ('cifar10-python', {'data_batch_4': None}, 'data_batch_4: no such|holds no .*data_batch_4'),
        ('cifar10-python', {'batches.meta': None}, 'batches.meta: no such|holds no .*batches.meta'),
    ],
)
@pytest.mark.parametrize('packed', [False, True], ids=['folder', 'archive'])
def test_a_damaged_or_missing_file_is_named(tmp_path, kind, replaced, named, packed):
    store(tmp_path, kind, packed, **replaced)
    with pytest.raises(UserError, match=named):
        KINDS[kind][0](tmp_path)
    assert not (tmp_path / 'decoded').exists() or not list((tmp_path / 'decoded').iterdir())


def test_a_cut_archive_is_refused(tmp_path):
    store(tmp_path, 'cifar10-python', packed=True)
    archive = tmp_path / 'cifar-10-python.tar.gz'
    whole = archive.read_bytes()
    for content in (whole[: len(whole) // 2], b'', b'<html>not found</html>'):
        archive.write_bytes(content)
        with pytest.raises(UserError, match='tar.gz: (damaged or cut short|holds no).*again'):
            CIFAR10(tmp_path)


def test_an_empty_folder_says_what_to_download(tmp_path):
    with pytest.raises(UserError, match='Download cifar-10-python.tar.gz from the CIFAR page'):
        CIFAR10(tmp_path)
    with pytest.raises(UserError, match='no CIFAR-100 here; expected one of cifar-100-python.tar'):
        CIFAR100(tmp_path / 'none')


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


# Files of another content than the published ones


def test_another_sum_is_a_warning_each_time(tmp_path):
    store(tmp_path, 'cifar10-python')
    official = CIFAR10_VERSIONS[0].md5
    for _ in range(2):  # decoded, then from the folder of decoded images
        with pytest.warns(UserWarning) as caught:
            assert len(CIFAR10(tmp_path)) == 100
        texts = [str(warning.message) for warning in caught]
        for name in (*CIFAR10_VERSIONS[0].splits[TRAIN], 'batches.meta'):
            found = hashlib.md5((tmp_path / 'cifar-10-batches-py' / name).read_bytes()).hexdigest()
            assert any(
                f'{name}: MD5 {found}, the official file has {official[name]}' in text
                for text in texts
            )
        assert any('100 images, the official files have 50000' in text for text in texts)


def test_the_sum_of_a_binary_archive_is_its_own(tmp_path):
    store(tmp_path, 'cifar10-binary', packed=True)
    with pytest.warns(UserWarning, match=r'cifar-10-binary\.tar\.gz: MD5 .*c32a1d4ab5d03f12'):
        CIFAR10(tmp_path)


@pytest.mark.parametrize('packed', [False, True], ids=['folder', 'archive'])
def test_right_sums_are_no_complaint(tmp_path, packed):
    kind = 'cifar100-binary' if packed else 'cifar100-python'
    version = KINDS[kind][1]
    path = store(tmp_path, kind, packed) / (version.archive if packed else version.folder)
    contents = members(kind, version)
    files = {path.name: path.read_bytes()} if packed else contents
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    assert Source(dataclasses.replace(version, md5=sums), path).complaints(contents) == []
    assert len(Source(version, path).complaints(contents)) == len(version.md5)


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
