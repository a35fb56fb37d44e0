"""Semantic maps drawn from the objects of a COCO data set."""

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from rethink_det.datasets.atomic_folder import FolderError
from rethink_det.datasets.semantic_maps import BACKGROUND, class_map, semantic_maps
from rethink_det.datasets.shapes import CLASSES, build_shapes


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    return build_shapes(tmp_path_factory.mktemp('maps') / 'shapes', crops=(1, 1), images=(3, 1))


def test_every_pixel_is_of_the_object_that_is_seen_there(shapes):
    file = shapes / 'annotations' / 'instances_train.json'
    semantic_maps(file, shapes / 'semantic' / 'train')
    coco = COCO(file)
    for number, image in coco.imgs.items():
        drawn = cv2.imread(str(shapes / 'semantic/train' / image['file_name']), -1)
        assert drawn.dtype == np.uint8 and drawn.shape == (image['height'], image['width'])
        left = np.ones_like(drawn, dtype=bool)
        for one in coco.loadAnns(coco.getAnnIds(imgIds=[number])):
            mask = coco.annToMask(one) > 0
            assert (drawn[mask] == one['category_id']).all()  # shapes are numbered from 1 on
            left &= ~mask
        assert (drawn[left] == BACKGROUND).all() and left.any() and not left.all()
        assert drawn.max() <= len(CLASSES)


def test_a_smaller_object_is_over_a_larger_one_whatever_their_order():
    coco = COCO()
    box = [[0, 0, 4, 0, 4, 4, 0, 4]]
    part = [[1, 1, 3, 1, 3, 3, 1, 3]]
    coco.dataset = dict(
        images=[dict(id=7, height=4, width=4, file_name='a.png')],
        categories=[dict(id=30, name='b'), dict(id=20, name='a')],
        annotations=[
            dict(id=1, image_id=7, category_id=30, segmentation=part, area=4, iscrowd=0),
            dict(id=2, image_id=7, category_id=20, segmentation=box, area=16, iscrowd=0),
        ],
    )
    coco.createIndex()
    assert class_map(coco, 7).tolist() == [[1, 1, 1, 1], [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1]]


def test_a_folder_that_is_there_stays_and_a_place_without_room_is_refused(shapes, tmp_path):
    file = shapes / 'annotations' / 'instances_val.json'
    (tmp_path / 'mine').mkdir()
    semantic_maps(file, tmp_path / 'mine')
    assert not any((tmp_path / 'mine').iterdir())
    (tmp_path / 'file').write_text('')
    with pytest.raises(FolderError, match='cannot be made'):
        semantic_maps(file, tmp_path / 'file' / 'maps')
