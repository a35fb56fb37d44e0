"""The shapes folder is an ordinary COCO folder to mmdet."""

import numpy as np
import pytest
from mmdet.datasets import CocoDataset
from mmengine.registry import DefaultScope
from pycocotools.coco import COCO

from rethink_det import UserError
from rethink_det.datasets.shapes import CLASSES, build_shapes
from rethink_det.registry import DATASETS

SIZES = dict(crops=(8, 8), images=(6, 3))
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='PackDetInputs'),
]
FILES = dict(ann_file='annotations/instances_train.json', data_prefix=dict(img='train/'))


@pytest.fixture(autouse=True)
def scope():
    """Bare names are mmdet's, whatever ran before in this process."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return tmp_path_factory.mktemp('data') / 'shapes'


def test_builds_its_folder_and_reads_as_coco(root):
    config = dict(type='rethink_det.ShapesCoco', data_root=str(root), pipeline=PIPELINE)
    data = DATASETS.build(config | FILES | SIZES)
    assert isinstance(data, CocoDataset) and len(data) == 6
    assert data.metainfo['classes'] == CLASSES and len(data.metainfo['palette']) == len(CLASSES)


def test_mmdets_own_class_reads_masks_boxes_and_labels(root):
    build_shapes(root, **SIZES)
    data = CocoDataset(
        data_root=str(root), metainfo=dict(classes=CLASSES), pipeline=PIPELINE, **FILES
    )
    coco = COCO(root / FILES['ann_file'])
    for item, number in zip(data, coco.getImgIds(), strict=True):
        truth = item['data_samples'].gt_instances
        wanted = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        assert item['inputs'].shape == (3, 128, 128)
        assert truth.labels.tolist() == [ann['category_id'] - 1 for ann in wanted]
        assert np.array_equal(truth.masks.masks, [coco.annToMask(ann) for ann in wanted])
        boxes = [
            [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            for rows, columns in (np.nonzero(mask) for mask in truth.masks.masks)
        ]
        assert np.array_equal(truth.bboxes.tensor.numpy(), boxes)


def test_refuses_a_folder_of_other_shapes(root):
    build_shapes(root, **SIZES)
    with pytest.raises(UserError, match='seed=0, where seed=5'):
        DATASETS.build(
            dict(type='rethink_det.ShapesCoco', data_root=str(root), seed=5) | FILES | SIZES
        )
