"""A text where the names of classes should be."""

import pytest
from mmengine.config import Config

from rethink_det import load_config
from rethink_det.detection.datasets.check_data import check_data, class_names
from rethink_det.errors import UserError
from rethink_det.training.config import shipped_configs
from rethink_det.training.metainfo import name_classes


def wrapped(classes):
    inner = dict(type='CocoDataset', metainfo=dict(classes=classes))
    joined = dict(type='ConcatDataset', datasets=[inner, dict(type='CocoDataset')])
    return Config(dict(train_dataloader=dict(dataset=dict(type='RepeatDataset', dataset=joined))))


def test_a_name_is_one_class_and_a_file_has_many(tmp_path):
    config = wrapped('raccoon')
    name_classes(config)
    inner = config.train_dataloader.dataset.dataset.datasets[0]
    assert inner.metainfo.classes == ('raccoon',)
    file = tmp_path / 'classes.txt'
    file.write_text('ship\ntraffic light\n')
    config = wrapped(str(file))
    name_classes(config)
    inner = config.train_dataloader.dataset.dataset.datasets[0]
    assert inner.metainfo.classes == str(file)
    assert class_names({**inner, 'type': 'mmdet.CocoDataset'}) == ('ship', 'traffic light')


@pytest.mark.parametrize('given', ['circle', ('circle',), ['circle']])
def test_heads_of_another_number_are_named(given, tmp_path):
    options = {f'{split}_dataloader.dataset.metainfo.classes': given for split in ('train', 'val')}
    options['train_dataloader.dataset.type'] = 'mmdet.CocoDataset'
    options['train_dataloader.dataset.data_root'] = str(tmp_path)
    file = tmp_path / 'annotations/instances_train.json'
    file.parent.mkdir()
    file.write_text(
        '{"images": [{"id": 1, "file_name": "a.jpg", "width": 1, "height": 1}], "annotations": [],'
        ' "categories": [{"id": 3, "name": "circle"}]}'
    )
    (tmp_path / 'train').mkdir()
    (tmp_path / 'train/a.jpg').touch()
    config = load_config(shipped_configs() / 'detection/faster-rcnn_r18-w16_fpn_shapes.py', {})
    for key in ('seed', 'crops', 'images'):
        config.train_dataloader.dataset.pop(key, None)
    config.merge_from_dict(options)
    name_classes(config)
    with pytest.raises(UserError, match='bbox_head.num_classes is 8, .* has 1 of .* 1 classes'):
        check_data(config, ('train',))
