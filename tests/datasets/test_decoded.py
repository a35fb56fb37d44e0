"""Decoded once and mapped by all: atomic, shared, unharmed by its readers."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest
import torch

from rethink_det import UserError
from rethink_det.datasets.decoded import Decoded, decoded


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'source').write_text('one')
    return tmp_path


def sample():
    images = torch.arange(96, dtype=torch.uint8).view(2, 3, 4, 4)
    return Decoded(images, torch.tensor([1, 0]), ('a', 'b'), ('beware',))


def read(root, decode=sample, key='', **kwargs):
    with pytest.warns(UserWarning, match='beware'):
        return decoded(root, 'name', key, [root / 'source'], decode, **kwargs)


def same(one, other):
    tensors = torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels)
    return tensors and one[2:] == other[2:]


def never():
    raise AssertionError('decoded again')


def test_the_second_reader_decodes_nothing_and_gets_the_same(root):
    assert same(read(root), sample())
    assert same(read(root, never), sample())
    assert sorted(os.listdir(root)) == ['decoded', 'source']


@pytest.mark.parametrize('cache', [False, True])
def test_another_file_or_key_is_decoded_anew(root, cache):
    calls = []

    def decode():
        calls.append(1)
        return sample()

    read(root, decode, cache=cache)
    read(root, decode, key='other', cache=cache)
    (root / 'source').write_text('longer')
    read(root, decode, cache=cache)
    assert len(calls) == 3
    assert (root / 'decoded').exists() == cache


def test_pixels_are_mapped_and_a_reader_cannot_change_them(root):
    first, second = read(root), read(root, never)
    maps = Path('/proc/self/maps')
    if maps.exists():
        assert 'images.npy' in maps.read_text()
    first.images.zero_()
    assert torch.equal(second.images, sample().images)
    assert torch.equal(read(root, never).images, sample().images)


def work(root, calls, start, answers):
    def decode():
        with calls.get_lock():
            calls.value += 1
        time.sleep(0.3)
        return sample()

    start.wait()
    found = decoded(root, 'name', '', [root / 'source'], decode)
    answers.put(same(found, sample()))


@pytest.mark.filterwarnings('ignore:beware')
def test_of_several_processes_one_decodes_for_all(root):
    context = multiprocessing.get_context('fork')
    calls, start, answers = context.Value('i', 0), context.Barrier(3), context.Queue()
    workers = [
        context.Process(target=work, args=(root, calls, start, answers), daemon=True)
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    assert [answers.get(timeout=30) for _ in workers] == [True] * 3
    for worker in workers:
        worker.join()
    assert calls.value == 1
    assert len(os.listdir(root / 'decoded')) == 1


def test_a_folder_that_cannot_be_written_costs_memory_only(root, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'rethink_det.datasets.decoded.print_log', lambda text, logger: lines.append(text)
    )
    (root / 'decoded').write_text('a file where the folder should be')
    assert same(read(root), sample())
    assert len(lines) == 1 and 'decoded' in lines[0] and 'memory' in lines[0]


def test_a_mistake_in_the_data_is_told_and_leaves_nothing(root):
    def decode():
        raise UserError('no good')

    with pytest.raises(UserError, match='no good'):
        decoded(root, 'name', '', [root / 'source'], decode)
    assert os.listdir(root / 'decoded') == []


@pytest.mark.parametrize('name', ['images.npy', 'labels.npy', 'card.json'])
def test_a_damaged_folder_is_refused_by_name(root, name):
    read(root)
    (folder,) = (root / 'decoded').iterdir()
    (folder / name).write_bytes((folder / name).read_bytes()[:20])
    with pytest.raises(UserError, match=f'{folder.name}: damaged .* remove this folder'):
        decoded(root, 'name', '', [root / 'source'], never)
