"""The file that an evaluation leaves: read as it was written, or refused."""

import json

import numpy as np
import pytest

from rethink_det.errors import UserError
from rethink_det.layout import REPLICATES
from rethink_det.report.image_replicates import ImageReplicates, write_reason

BOXES = ImageReplicates.of(5, 'ab' * 32, {'coco/bbox_mAP': np.array([0.25, 1 / 3])})
MASKS = ImageReplicates.of(5, 'ab' * 32, {'coco/segm_mAP': np.array([0.5, 0.125])})


def test_it_is_read_as_it_was_written(tmp_path):
    BOXES.write(tmp_path)
    assert ImageReplicates.read(tmp_path) == BOXES
    assert BOXES.replicates == {'coco/bbox_mAP': (0.25, 0.333333)}


def test_metrics_of_the_same_images_are_joined():
    both = BOXES.joined(MASKS)
    assert both.replicates == {**BOXES.replicates, **MASKS.replicates}
    assert (both.test_images, both.test_digest) == (5, 'ab' * 32)


def test_metrics_of_other_images_are_not_joined():
    other = ImageReplicates.of(5, 'cd' * 32, {'pascal_voc/mAP': np.zeros(2)})
    message = 'coco/bbox_mAP and pascal_voc/mAP are not of the same'
    with pytest.raises(UserError, match=message):
        BOXES.joined(other)


def test_a_reason_is_told_in_place_of_replicates(tmp_path):
    write_reason('MemoryError: too many', tmp_path)
    with pytest.raises(UserError, match='^MemoryError: too many$'):
        ImageReplicates.read(tmp_path)


def test_no_file_says_that_the_metric_leaves_none(tmp_path):
    with pytest.raises(UserError, match='no metric of this package'):
        ImageReplicates.read(tmp_path)


@pytest.mark.parametrize(
    'change, said',
    [
        ({'test_images': 'five'}, "'test_images' is 'five', must be a whole number"),
        ({'replicates': {'top1': ['x']}}, r"top1\[0\]' is 'x', must be a finite number"),
        ({'more': 1}, "unknown key 'more'"),
        ({'version': 2}, 'newer rethink_det'),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, change, said):
    BOXES.write(tmp_path)
    path = tmp_path / REPLICATES
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=said) as refused:
        ImageReplicates.read(tmp_path)
    assert str(path) in str(refused.value)
