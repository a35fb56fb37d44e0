"""A folder or an archive, and whether its files are the published ones."""

import dataclasses
import hashlib

import pytest

from rethink_det import UserError
from rethink_det.datasets import CIFAR10, CIFAR100
from rethink_det.datasets.cifar.source import Source
from rethink_det.datasets.cifar.versions import CIFAR10_VERSIONS
from tests.cifar_files import KINDS, TRAIN, dump, members, store

pytestmark = pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')


def test_an_extracted_folder_goes_before_an_archive(tmp_path):
    store(tmp_path, 'cifar10-binary')
    (tmp_path / CIFAR10_VERSIONS[0].archive).write_bytes(b'not read')
    assert len(CIFAR10(tmp_path)) == 100


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
