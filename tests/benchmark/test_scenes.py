"""Scenes for timing COCO evaluation."""

import pytest

from rethink_det import UserError
from rethink_det.benchmark.scenes import CLASSES, HEIGHT, OBJECTS, PREDICTIONS, WIDTH, scenes


def test_scenes_are_what_they_say():
    truth, samples = scenes(2, with_masks=True)
    assert len(truth['annotations']) == 2 * OBJECTS
    for sample in samples:
        found = sample['pred_instances']
        assert found['bboxes'].shape == (PREDICTIONS, 4)
        assert found['masks'].shape == (PREDICTIONS, HEIGHT, WIDTH)
        assert found['labels'].max() < CLASSES
        for box, mask in zip(found['bboxes'], found['masks'], strict=True):
            if mask.any():  # every mask lies in its box
                rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
                assert columns.min() >= box[0].floor() and rows.min() >= box[1].floor()
                assert columns.max() <= box[2].ceil() and rows.max() <= box[3].ceil()


def test_no_images_make_no_scenes():
    with pytest.raises(UserError, match='at least 1 image, got 0'):
        scenes(0, with_masks=False)
