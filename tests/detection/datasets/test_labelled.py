"""Exports of labelling tools, as they are: a detector's data by --data-root."""

import json
from functools import lru_cache
from pathlib import Path

import pytest
from mmengine.registry import DATASETS, DefaultScope

from rethink_det.detection.datasets.check_data import check_data
from rethink_det.detection.datasets.data_root import with_data_root
from rethink_det.detection.datasets.labelled import area_of, held_out, written
from rethink_det.errors import UserError
from rethink_det.training.config import load_config
from tests.detection.datasets.exports import (
    DIVIDED,
    UPLOADED,
    WHOLE,
    coco_photos,
    drawn_photos,
    labelme,
    names_of,
    ultralytics,
)

FASTER = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
PIXELS = 0.05


FEW = ('ultralytics', 'voc', 'keys absent', 'labelimg', 'label studio')
"""Layouts that are tried with photographs, too."""


def sources(layouts):
    drawn = [('drawn', layout) for layout in layouts]
    return drawn + [('raccoons', layout) for layout in layouts if layout in FEW]


@pytest.fixture(scope='module')
def photos_of(request, tmp_path_factory):
    """A function: pictures of a kind, with what is on them."""

    @lru_cache
    def photos(source):
        if source == 'drawn':
            return drawn_photos(tmp_path_factory.mktemp('photos') / 'drawn')
        data = request.getfixturevalue('shared') / 'data' / 'raccoon'
        return coco_photos(data / 'annotations/instances_train2017.json', data / 'train2017')

    return photos


def loaded(config, split):
    """By the stem of its picture, the objects of every image as mmdet hands them on."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        built = DATASETS.build(config[f'{split}_dataloader'].dataset)
    names, found = built.metainfo['classes'], {}
    for number in range(len(built)):
        info = built.get_data_info(number)
        stem = info['img_path'].rpartition('/')[2].rpartition('.')[0].removeprefix(UPLOADED)
        found[stem] = {
            (names[one['bbox_label']], *(round(value / PIXELS / 4) for value in one['bbox']))
            for one in info['instances']
        }
    return found


def meant(photos):
    return {
        photo.path.stem: {
            (one.name, *(round(value / PIXELS / 4) for value in (x, y, x + width, y + height)))
            for one in photo.things
            for x, y, width, height in [one.box]
        }
        for photo in photos
    }


def alike(found, wanted):
    """Whether pictures have the same objects, up to the rounding of what wrote them."""
    if found.keys() != wanted.keys():
        return False
    for stem, objects in wanted.items():
        left = list(found[stem])
        for name, *box in objects:
            near = [
                one
                for one in left
                if one[0] == name
                and max(abs(a - b) for a, b in zip(one[1:], box, strict=True)) <= 1
            ]
            if not near:
                return False
            left.remove(near[0])
        if left:
            return False
    return True


@lru_cache
def base(name=FASTER):
    return load_config(name)


def moved(root):
    adapted = with_data_root(base(), root)
    check_data(adapted.config)
    return adapted.config, '\n'.join(map(str, adapted.changes))


def with_spaces(photos, layout):
    """VOC's lists have no spaces in names: these files are called without."""
    return layout in ('voc', 'voc devkit', 'cvat voc')


def without_spaces(photos, folder):
    folder.mkdir()
    renamed = []
    for photo in photos:
        path = folder / photo.path.name.replace(' ', '_')
        path.write_bytes(photo.path.read_bytes())
        renamed.append(photo._replace(path=path))
    return renamed


@pytest.mark.parametrize('source, layout', sources(DIVIDED))
def test_an_export_of_two_parts(source, layout, photos_of, tmp_path):
    photos = photos_of(source)
    if with_spaces(photos, layout):
        photos = without_spaces(photos, tmp_path / 'renamed')
    DIVIDED[layout](tmp_path / 'data', photos[:6], photos[6:])
    config, told = moved(tmp_path / 'data')
    train, val = meant(photos[:6]), meant(photos[6:])
    if layout != 'roboflow coco':  # mmdet does not hand empty pictures on in training
        assert alike(loaded(config, 'train'), {s: o for s, o in train.items() if o})
    assert alike(loaded(config, 'val'), val) and alike(loaded(config, 'test'), val)
    assert config.model.roi_head.bbox_head.num_classes == len(names_of(photos))
    if layout in ('ultralytics', 'roboflow yolo'):
        assert 'files of labels in YOLO format' in told
    assert ('download is not run' in told) == layout.startswith('ultralytics')


@pytest.mark.parametrize('source, layout', sources(WHOLE))
def test_of_an_export_of_one_part_some_pictures_are_held_out(source, layout, photos_of, tmp_path):
    photos = photos_of(source)
    if with_spaces(photos, layout):
        photos = without_spaces(photos, tmp_path / 'renamed')
    WHOLE[layout](tmp_path / 'data', photos)
    config, told = moved(tmp_path / 'data')
    assert 'held out of training by their names, as the folder has no val' in told
    train, val = loaded(config, 'train'), loaded(config, 'val')
    assert len(val) == 2 and not set(train) & set(val)
    wanted = meant(photos)
    assert alike({**train, **val}, {s: wanted[s] for s in {**train, **val}})
    assert {s for s, objects in wanted.items() if objects} <= {*train, *val}
    again = with_data_root(base(), tmp_path / 'data').config
    assert again.val_dataloader == config.val_dataloader


def test_other_labels_are_another_file(tmp_path):
    photos = drawn_photos(tmp_path / 'photos')
    ultralytics(tmp_path / 'data', photos[:6], photos[6:])
    before = moved(tmp_path / 'data')[0].train_dataloader.dataset.ann_file
    assert moved(tmp_path / 'data')[0].train_dataloader.dataset.ann_file == before
    label = tmp_path / 'data/labels/train/photo 0.txt'
    label.write_text(label.read_text() + '\n1 0.5 0.5 0.25 0.25\n')
    after = moved(tmp_path / 'data')[0].train_dataloader.dataset.ann_file
    assert after != before
    counts = [len(json.loads(Path(file).read_text())['annotations']) for file in (before, after)]
    assert counts[1] == counts[0] + 1


def test_masks_of_an_export_are_kept(tmp_path):
    photos = drawn_photos(tmp_path / 'photos')
    labelme(tmp_path / 'data', photos)
    mask = 'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py'
    adapted = with_data_root(base(mask), tmp_path / 'data')
    check_data(adapted.config)
    assert loaded(adapted.config, 'train')


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    with pytest.raises(UserError, match='train.json cannot be written .* variable XDG_CACHE_HOME'):
        written({}, tmp_path, 'train')


def test_a_fifth_is_held_out_whatever_the_order():
    names = [f'{number}.jpg' for number in range(50)]
    assert held_out(names) == held_out(names[::-1]) and len(held_out(names)) == 10
    assert held_out(['a']) == {'a'}


def test_the_area_of_a_polygon():
    assert area_of([0, 0, 4, 0, 4, 3]) == 6
    assert area_of([4, 3, 4, 0, 0, 0]) == 6
