"""What a devkit lacks is named."""

import pytest
from mmengine.registry import DATASETS

from rethink_det.detection.datasets.check_data import check_data
from rethink_det.detection.datasets.check_voc import check_voc, reads_as_voc
from rethink_det.errors import UserError
from rethink_det.registered import registered
from tests.detection.datasets.voc_bases import leaf, on

pytestmark = pytest.mark.usefixtures('scope')


HEADS = {'model.roi_head.bbox_head.num_classes': 20}


def test_a_complete_devkit_passes(devkit):
    config = on(devkit, 'voc0712')
    check_voc(leaf(config), 'val_dataloader.dataset', HEADS)
    for part in leaf(config, 'train').dataset.datasets:
        check_voc(part, 'train_dataloader.dataset', HEADS)


@pytest.mark.parametrize(
    'damage, messages',
    [
        (lambda root: (root / 'ImageSets/Main/test.txt').unlink(),
         ['test.txt does not exist', 'val.data_root']),
        (lambda root: (root / 'ImageSets/Main/test.txt').write_text('2007_000004 -1\n'),
         ['the name of an image on every line', 'as trainval.txt has']),
        (lambda root: (root / 'ImageSets/Main/test.txt').write_text('\n'),
         ['the name of an image on every line']),
        (lambda root: (root / 'JPEGImages').rename(root / 'images'),
         ['JPEGImages is no folder', 'val.data_prefix.sub_data_root']),
        (lambda root: (root / 'JPEGImages/2007_000005.jpg').unlink(),
         ['lists 3 images, 1 of which', 'JPEGImages: 2007_000005.jpg']),
        (lambda root: (root / 'Annotations/2007_000006.xml').unlink(),
         ['Annotations: 2007_000006.xml']),
        (lambda root: (root / 'Annotations/2007_000004.xml').write_text('<annotation>'),
         ['2007_000004.xml is no XML file']),
    ],
    ids=['list', 'list of a class', 'empty list', 'folder', 'image', 'annotation', 'broken'],
)  # fmt: skip
def test_what_is_missing_is_named(damage, messages, devkit):
    config = on(devkit, 'voc07')
    damage(devkit / 'VOC2007')
    with pytest.raises(UserError) as refusal:
        check_voc(leaf(config), 'val', HEADS)
    for message in messages:
        assert message in str(refusal.value)


def test_voc_is_looked_at_before_training(devkit):
    config = on(devkit, 'voc07')
    check_data(config)
    (devkit / 'VOC2007/ImageSets/Main/test.txt').unlink()
    with pytest.raises(UserError, match='test.txt does not exist'):
        check_data(config)


def test_other_classes_are_refused(devkit):
    config = on(devkit, 'voc07')
    other = {**leaf(config), 'metainfo': dict(classes=('whale', 'shark'))}
    with pytest.raises(UserError, match='classes cat, dog, none of which is in val: set its meta'):
        check_voc(other, 'val', {})
    with pytest.raises(UserError, match='num_classes is 20, but val has 2 classes'):
        check_voc({**other, 'metainfo': dict(classes=('cat', 'dog'))}, 'val', HEADS)


def test_a_devkit_without_one_of_the_years_is_refused(devkit):
    (devkit / 'VOC2012').rename(devkit / 'later')
    with pytest.raises(UserError, match='VOC2012/ImageSets/Main/trainval.txt does not exist'):
        on(devkit, 'voc0712')


def test_what_reads_as_voc():
    assert reads_as_voc(registered(DATASETS, 'VOCDataset'))
    assert not reads_as_voc(registered(DATASETS, 'CocoDataset')) and not reads_as_voc(None)
