"""The annotations in the format of COCO."""

import json

import numpy as np
from pycocotools.coco import COCO

from rethink_det.datasets.shapes import CLASSES, draw_picture
from rethink_det.datasets.shapes.scene import LEAST_PIXELS


def test_coco_masks_are_those_the_generator_painted(shapes_root, sizes):
    coco = COCO(shapes_root / 'annotations' / 'instances_train.json')
    stream = np.random.SeedSequence(0).spawn(4)[2]
    for number, child in enumerate(stream.spawn(sizes['images'][0]), start=1):
        picture = draw_picture(np.random.default_rng(child))
        found = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        assert [ann['category_id'] - 1 for ann in found] == picture.labels.tolist()
        for ann, mask in zip(found, picture.masks, strict=True):
            assert np.array_equal(coco.annToMask(ann).astype(bool), mask)
            x, y, width, height = ann['bbox']
            inside = mask[y : y + height, x : x + width]
            assert inside.sum() == mask.sum() == ann['area'] >= LEAST_PIXELS
            assert inside[0].any() and inside[-1].any()
            assert inside[:, 0].any() and inside[:, -1].any()


def test_categories_are_one_to_eight_in_class_order(shapes_root):
    text = (shapes_root / 'annotations' / 'instances_val.json').read_text()
    categories = json.loads(text)['categories']
    assert [(c['id'], c['name']) for c in categories] == list(enumerate(CLASSES, start=1))
