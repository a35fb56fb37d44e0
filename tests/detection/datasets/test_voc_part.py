"""What a devkit lacks is named."""

import pytest
from mmengine.registry import DATASETS

from rethink_det.detection.datasets.check_data import check_data, class_names, reads_as_voc
from rethink_det.detection.datasets.voc_part import VocPart
from rethink_det.errors import UserError
from rethink_det.registered import registered
from tests.detection.datasets.voc_bases import leaf, on

pytestmark = pytest.mark.usefixtures('scope')


def check_voc(settings, key, heads):
    """All that is said of a data set."""
    return list(VocPart(key, settings, class_names(settings)).check(heads))


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
    with pytest.raises(
        UserError, match="3 of 'dog'. None of these classes is in val: set its meta"
    ):
        check_voc(other, 'val', {})
    with pytest.raises(UserError, match='num_classes is 20, but val has 2 classes'):
        check_voc({**other, 'metainfo': dict(classes=('cat', 'dog'))}, 'val', HEADS)


def rewritten(devkit, name, old, new):
    """An annotation file of VOC2007 with another text in it."""
    file = devkit / f'VOC2007/Annotations/{name}.xml'
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def check_test(devkit):
    return check_voc(leaf(on(devkit, 'voc07')), 'val', HEADS)


@pytest.mark.parametrize(
    'old, new, message',
    [
        ('<width>96</width>', '<width>64</width>', 'JPEGImages/2007_000005.jpg is 96 x 64 pixels'),
        ('<width>96</width>', '', "000005.xml: width is '', it must be the width"),
        ('<width>96</width>', '<width>no</width>', "000005.xml: width is 'no'"),
        ('<xmin>5</xmin>', '<xmin>44</xmin>', 'of 9 boxes 1 have no width or height'),
        ('<xmin>5</xmin>', '<xmin>nan</xmin>', "object 'cat' has no bndbox of four numbers xmin"),
        ('<xmin>5</xmin>', '', "object 'cat' has no bndbox of four numbers xmin"),
        ('<name>cat</name>', '', 'an object None has no bndbox'),
    ],
)
def test_what_an_annotation_file_says_wrongly_is_named(devkit, old, new, message):
    rewritten(devkit, '2007_000005', old, new)
    with pytest.raises(UserError) as error:
        check_test(devkit)
    assert message in str(error.value)


def test_objects_of_other_classes_are_counted(devkit):
    rewritten(devkit, '2007_000005', '<name>dog</name>', '<name>dogs</name>')
    (note,) = check_test(devkit)
    assert "of 9 objects 1 are left out: 1 of 'dogs', which are not among the classes" in note


def test_a_class_that_is_spelled_otherwise_everywhere_is_refused(devkit):
    for number in (4, 5, 6):
        rewritten(devkit, f'2007_00000{number}', '<name>dog</name>', '<name>Dog</name>')
    with pytest.raises(UserError, match="'Dog' is probably 'dog' of val.metainfo.classes"):
        check_test(devkit)


def test_boxes_beyond_pictures_and_pictures_of_nothing_are_said(devkit):
    rewritten(devkit, '2007_000004', '<xmax>44</xmax>', '<xmax>120</xmax>')
    file = devkit / 'VOC2007/Annotations/2007_000006.xml'
    file.write_text('<annotation/>')
    beyond, empty = check_test(devkit)
    assert 'test.txt: of 6 boxes 1 reach beyond their picture' in beyond
    assert 'of 3 images 1 have no objects (2007_000006.xml, ...)' in empty


def test_a_name_that_is_listed_twice_is_refused(devkit):
    listing = devkit / 'VOC2007/ImageSets/Main/test.txt'
    listing.write_text(listing.read_text() + '2007_000005\n')
    with pytest.raises(UserError, match='test.txt has 2007_000005 more than once'):
        check_test(devkit)


def test_a_devkit_without_one_of_the_years_is_refused(devkit):
    (devkit / 'VOC2012').rename(devkit / 'later')
    with pytest.raises(UserError, match='VOC2012/ImageSets/Main/trainval.txt does not exist'):
        on(devkit, 'voc0712')


def test_what_reads_as_voc():
    assert reads_as_voc(registered(DATASETS, 'VOCDataset'))
    assert not reads_as_voc(registered(DATASETS, 'CocoDataset')) and not reads_as_voc(None)
