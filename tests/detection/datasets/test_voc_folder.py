"""Folders of XML files in VOC's format with classes of one's own."""

import pytest

from rethink_det import load_config
from rethink_det.detection.datasets.check_data import check_data
from rethink_det.detection.datasets.coco_folder import CocoFolder
from rethink_det.detection.datasets.data_root import with_data_root
from rethink_det.detection.datasets.voc_folder import find_voc
from rethink_det.errors import UserError
from tests.detection.datasets.exports import drawn_photos, labelimg, voc
from tests.detection.datasets.voc_devkit import write_devkit


@pytest.fixture
def photos(tmp_path):
    return [
        photo._replace(path=photo.path.rename(photo.path.with_name(photo.path.stem[6:] + '.jpg')))
        for photo in drawn_photos(tmp_path / 'photos')
    ]


def test_all_years_and_difficult_objects(tmp_path):
    found = find_voc(write_devkit(tmp_path))
    counts = {split: len(pictures) for split, pictures in found.splits.items()}
    assert counts == {'train': 4 + 2, 'test': 3, 'val': 2}
    assert found.classes == ('cat', 'dog')
    assert "11 XML files in VOC's format; 11 difficult objects count for nothing" in found.how
    cat, dog, difficult = found.splits['train'][0].objects
    assert cat.box == (4, 4, 39, 43) and difficult.ignored and not dog.ignored
    crowds = CocoFolder.find(tmp_path).train.annotations.objects.crowds
    assert crowds.tolist() == 6 * [False, False, True]


def test_a_devkit_of_other_classes_on_a_config_for_voc(photos, tmp_path):
    voc(tmp_path / 'data', photos[:6], photos[6:], 'VOC2007')
    lists = tmp_path / 'data/VOC2007/ImageSets/Main'
    (lists / 'train.txt').rename(lists / 'trainval.txt')
    (lists / 'val.txt').rename(lists / 'test.txt')
    config = load_config('mmdet::pascal_voc/faster-rcnn_r50_fpn_1x_voc0712.py')
    config.train_dataloader.dataset.dataset.datasets.pop()
    adapted = with_data_root(config, tmp_path / 'data')
    check_data(adapted.config)
    assert adapted.config.model.roi_head.bbox_head.num_classes == 3
    dataset = adapted.config.train_dataloader.dataset.dataset
    assert dataset.type == 'mmdet.CocoDataset' and dataset.metainfo.classes[0] == 'house'
    for file in (tmp_path / 'data').rglob('*.xml'):
        file.write_text(file.read_text().replace('ship', 'boat').replace('house', 'car'))
    adapted = with_data_root(config, tmp_path / 'data')
    assert adapted.config.train_dataloader.dataset.dataset.datasets[0].type == 'VOCDataset'


def test_a_picture_that_is_not_there_is_named(photos, tmp_path):
    voc(tmp_path / 'data', photos[:6], photos[6:])
    (tmp_path / 'data/JPEGImages/3.jpg').unlink()
    with pytest.raises(UserError, match="3.xml: no picture of its name .* nor '3.jpg'"):
        find_voc(tmp_path / 'data')
    (tmp_path / 'data/Annotations/4.xml').unlink()
    with pytest.raises(UserError, match=r'lists 4, but .*4.xml is not there'):
        find_voc(tmp_path / 'data')


def test_no_objects_or_no_xml_files(photos, tmp_path):
    labelimg(tmp_path / 'data', [photos[-1]])
    with pytest.raises(UserError, match='no object'):
        find_voc(tmp_path / 'data')
    for file in (tmp_path / 'data').glob('*.xml'):
        file.write_text('<html></html>')
    assert find_voc(tmp_path / 'data') is None
