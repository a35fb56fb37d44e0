"""Pickles of arrays and lists are read without running any, and nothing else is read."""

import pickle

import numpy as np
import pytest

from rethink_det import UserError
from rethink_det.datasets import CIFAR10
from rethink_det.datasets.cifar.pickles import PickledArray, load_fields
from tests.cifar_files import drawn, dump, store

pytestmark = pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')


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
