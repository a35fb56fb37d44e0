"""A COCO folder that is not all there is refused before anything is built."""

import json

import pytest
from mmengine.config import Config

from rethink_det.detection.check import check_data
from rethink_det.errors import UserError


@pytest.fixture
def coco(tmp_path):
    """A COCO folder of two images, one of them in a subfolder."""
    images = [dict(id=1, file_name='1.jpg'), dict(id=2, file_name='more/2.jpg')]
    for image in images:
        file = tmp_path / 'val' / image['file_name']
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / 'val.json').write_text(
        json.dumps(dict(images=images, annotations=[], categories=[]))
    )
    return tmp_path


def config(root, splits=('val',), **changes):
    dataset = dict(
        type='CocoDataset', data_root=str(root), ann_file='val.json', data_prefix=dict(img='val/')
    )
    loaders = {f'{split}_dataloader': dict(dataset={**dataset, **changes}) for split in splits}
    return Config(loaders)


def refusal(config, **options):
    with pytest.raises(UserError) as error:
        check_data(config, **options)
    return str(error.value)


def test_complete_folder_passes(coco):
    check_data(config(coco, splits=('train', 'val', 'test')))


def test_missing_annotations_name_file_and_key(coco):
    text = refusal(config(coco, ann_file='instances.json'))
    assert str(coco / 'instances.json') in text
    assert 'val_dataloader.dataset.data_root' in text
    assert 'val_dataloader.dataset.ann_file' in text


def test_missing_image_folder_names_folder_and_key(coco):
    text = refusal(config(coco, data_prefix=dict(img='pictures/')))
    assert str(coco / 'pictures') in text
    assert 'val_dataloader.dataset.data_prefix.img' in text


@pytest.mark.parametrize('name', ['1.jpg', 'more/2.jpg'])
def test_missing_image_is_named(coco, name):
    (coco / 'val' / name).unlink()
    text = refusal(config(coco))
    assert str(coco / 'val.json') in text
    assert '2 images, 1 of them' in text
    assert name in text


@pytest.mark.parametrize(
    'content', ['{', '[]', '{}', '{"images": 3}', '{"images": [{"id": 1}]}', '\x00\xff', '"images"']
)
def test_file_that_is_no_coco_json_is_refused(coco, content):
    (coco / 'val.json').write_text(content)
    assert f'{coco / "val.json"} is no COCO annotation file' in refusal(config(coco))


def test_only_the_asked_splits_are_looked_at(coco):
    both = config(coco, splits=('test',))
    both.train_dataloader = config(coco, splits=('train',), ann_file='gone.json').train_dataloader
    check_data(both, splits=('test',))
    assert 'train_dataloader' in refusal(both)


def test_every_split_is_looked_at(coco):
    mixed = config(coco, splits=('train', 'val'))
    mixed.test_dataloader = config(coco, splits=('test',), ann_file='gone.json').test_dataloader
    assert 'test_dataloader' in refusal(mixed)


def test_image_folder_of_its_own_is_looked_at_under_shared_annotations(coco):
    mixed = config(coco, splits=('train',))
    other = config(coco, splits=('val',), data_prefix=dict(img='gone/'))
    mixed.val_dataloader = other.val_dataloader
    assert str(coco / 'gone') in refusal(mixed)


def test_data_inside_a_wrapper_is_looked_at(coco):
    inner = config(coco, ann_file='gone.json').val_dataloader.dataset
    wrapped = dict(dataset=dict(type='RepeatDataset', times=2, dataset=inner))
    assert str(coco / 'gone.json') in refusal(Config(dict(train_dataloader=wrapped)))


def test_annotations_of_the_evaluator_are_looked_at(coco):
    tested = config(coco, splits=('val',))
    tested.val_evaluator = dict(type='rethink_det.CocoMetric', ann_file=str(coco / 'gone.json'))
    text = refusal(tested)
    assert str(coco / 'gone.json') in text
    assert 'val_evaluator.ann_file' in text


@pytest.mark.parametrize(
    'loaders',
    [
        {},
        dict(train_dataloader=None),
        dict(train_dataloader=dict(dataset=dict(type='rethink_det.ImageFolder', data_root='x'))),
        dict(val_dataloader=dict(dataset=dict(type='rethink_det.ShapesCoco', ann_file='x.json'))),
        dict(val_dataloader=dict(dataset=dict(type='CocoDataset', ann_file='s3://bucket/x.json'))),
    ],
)
def test_what_is_no_local_coco_folder_is_left_to_itself(loaders):
    check_data(Config(loaders))
