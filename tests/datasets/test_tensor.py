"""Indexing, collating and loading through MMEngine's own data loader."""

import pytest
import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Subset

from rethink_det import UserError
from rethink_det.datasets import ImageTensorDataset, ShapesCrops, batch_collate
from rethink_det.datasets.shapes import CLASSES

COLLATE = dict(type='rethink_det.batch_collate')


def small(count=9, classes=('a', 'b', 'c'), **kwargs):
    images = torch.arange(count * 12, dtype=torch.uint8).reshape(count, 3, 2, 2)
    return ImageTensorDataset(images, torch.arange(count) % len(classes), classes, **kwargs)


def loader_config(root, sizes, **kwargs):
    dataset = dict(type='rethink_det.ShapesCrops', data_root=str(root), **sizes)
    sampler = dict(type='DefaultSampler', shuffle=True)
    return dict(batch_size=32, num_workers=0, sampler=sampler, dataset=dataset) | kwargs


def test_an_item_is_an_image_and_its_label():
    item = small()[4]
    assert item['inputs'].shape == (3, 2, 2) and item['inputs'].dtype == torch.uint8
    assert item['gt_label'].shape == () and item['gt_label'] == 1


def test_a_batch_is_its_items_stacked():
    data = small()
    batch = batch_collate(data.__getitems__([7, 0, 3]))
    stacked = batch_collate([data[7], data[0], data[3]])
    assert batch.keys() == stacked.keys()
    assert all(torch.equal(batch[key], stacked[key]) for key in batch)


@pytest.mark.parametrize('workers', [0, 1])
def test_mmengine_builds_a_loader_of_finished_batches(shapes_root, sizes, workers):
    loader = Runner.build_dataloader(
        loader_config(shapes_root, sizes, num_workers=workers, collate_fn=COLLATE), seed=0
    )
    batches = list(loader)
    assert [len(batch['gt_label']) for batch in batches] == [32, 32, 16]
    assert batches[0]['inputs'].shape == (32, 3, 32, 32)
    assert batches[0]['inputs'].dtype == torch.uint8
    assert torch.cat([b['gt_label'] for b in batches]).bincount().tolist() == [10] * 8
    assert loader.dataset.metainfo == dict(classes=CLASSES)


def test_a_shortened_epoch_and_a_subset_collate_too(shapes_root, sizes):
    loader = Runner.build_dataloader(
        loader_config(shapes_root, sizes, collate_fn=COLLATE, num_batch_per_epoch=2)
    )
    assert [len(batch['gt_label']) for batch in loader] == [32, 32]
    subset = DataLoader(Subset(small(), [2, 5]), batch_size=2, collate_fn=batch_collate)
    assert next(iter(subset))['gt_label'].tolist() == [2, 2]


def test_names_the_collate_function_that_is_missing(shapes_root, sizes):
    loader = Runner.build_dataloader(loader_config(shapes_root, sizes))
    with pytest.raises(UserError, match='rethink_det.batch_collate'):
        next(iter(loader))


def test_limit_keeps_the_first_of_each_class():
    data = small(limit=6)
    assert data.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert torch.equal(data.images, small().images[:6])


@pytest.mark.parametrize('limit', [0, -3, 4, 12])
def test_refuses_a_limit_that_cannot_be_balanced(limit):
    with pytest.raises(UserError, match=f'limit={limit}'):
        small(limit=limit)


@pytest.mark.parametrize(
    ('images', 'labels', 'named'),
    [
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, dtype=torch.int64), 'images: expected uint8'),
        (torch.zeros(2, 4, 4, 3).byte(), torch.zeros(2, dtype=torch.int64), 'images: expected'),
        (torch.zeros(2, 3, 4, 4).byte(), torch.zeros(3, dtype=torch.int64), 'labels: expected'),
        (torch.zeros(2, 3, 4, 4).byte(), torch.tensor([0, 2]), '2 classes: a, b'),
    ],
)
def test_refuses_tensors_of_another_kind(images, labels, named):
    with pytest.raises(UserError, match=named):
        ImageTensorDataset(images, labels, ('a', 'b'))


def test_crops_are_the_folders_arrays(shapes_root, sizes):
    train = ShapesCrops(shapes_root, **sizes)
    test = ShapesCrops(shapes_root, split='test', limit=8, build=False, **sizes)
    assert (len(train), len(test)) == sizes['crops'][:1] + (8,)
    assert test.labels.tolist() == list(range(8))


def test_crops_refuse_what_is_not_there(shapes_root, tmp_path, sizes):
    with pytest.raises(UserError, match='set build=True'):
        ShapesCrops(tmp_path / 'none', build=False)
    with pytest.raises(UserError, match="split='val'"):
        ShapesCrops(shapes_root, split='val', **sizes)


def test_crops_refuse_a_damaged_file(shapes_root, tmp_path, sizes):
    (tmp_path / 'shapes.json').write_text((shapes_root / 'shapes.json').read_text())
    with pytest.raises(UserError, match='crops_train.npz'):
        ShapesCrops(tmp_path, **sizes)
    (tmp_path / 'crops_train.npz').write_bytes(b'PK\x03\x04 cut short')
    with pytest.raises(UserError, match='not readable'):
        ShapesCrops(tmp_path, **sizes)


@pytest.mark.parametrize('limit', [6.0, '6', True])
def test_refuses_a_limit_that_is_no_count(limit):
    with pytest.raises(UserError, match=f'limit={limit!r}: expected a positive multiple of 3'):
        small(limit=limit)


@pytest.mark.parametrize('classes', ['ab', 2, ('a', 'a'), ('a', 3)], ids=repr)
def test_refuses_classes_that_are_no_different_names(classes):
    with pytest.raises(UserError, match='classes: expected a list of different names, got'):
        ImageTensorDataset(torch.zeros(2, 3, 4, 4).byte(), torch.tensor([0, 1]), classes)
