"""Groups of NMS through mmcv.ops."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures('ext')

# Of mmcv's own documentation of the function (tests/test_ops/test_nms.py), which finds two groups.
BOXES = torch.tensor(
    [
        [49.1, 32.4, 51.0, 35.9, 0.9],
        [49.3, 32.9, 51.0, 35.3, 0.9],
        [35.3, 11.5, 39.9, 14.5, 0.4],
        [35.2, 11.7, 39.7, 15.7, 0.3],
    ]
)


def groups_of(boxes, threshold):
    from mmcv.ops import nms_match

    return [group.tolist() for group in nms_match(boxes, threshold)]


def test_the_documented_groups():
    assert groups_of(BOXES, 0.6) == [[0, 1], [2, 3]]
    assert groups_of(BOXES.numpy(), 0.6) == [[0, 1], [2, 3]]
    assert groups_of(BOXES[:0], 0.6) == []


@given(st.integers(1, 40), st.integers(0, 2**16), st.floats(0.05, 0.95))
def test_the_first_of_each_group_are_those_that_nms_keeps(count, seed, threshold):
    from mmcv.ops import nms

    random = np.random.default_rng(seed)
    low = random.uniform(0, 20, (count, 2))
    boxes = np.concatenate((low, low + random.uniform(1, 20, (count, 2))), 1)
    scores = random.permutation(count) / count
    boxes, scores = torch.tensor(boxes).float(), torch.tensor(scores).float()
    groups = groups_of(torch.cat((boxes, scores[:, None]), 1), threshold)
    assert [group[0] for group in groups] == nms(boxes, scores, threshold)[1].tolist()
    assert sorted(sum(groups, [])) == list(range(count))
    for group in groups:
        assert scores[group].tolist() == sorted(scores[group].tolist(), reverse=True)


def test_an_overlap_of_just_the_threshold_suppresses_unlike_in_nms():
    from mmcv.ops import nms

    boxes = torch.tensor([[0.0, 0, 2, 1, 0.9], [0, 0, 1, 1, 0.8]])
    assert groups_of(boxes, 0.5) == [[0, 1]]
    assert nms(boxes[:, :4], boxes[:, 4], 0.5)[1].tolist() == [0, 1]


def test_boxes_without_area_stand_alone():
    boxes = torch.tensor([[1.0, 1, 1, 1, 0.9], [1, 1, 1, 1, 0.8]])
    assert groups_of(boxes, 0.5) == [[0], [1]]


def test_boxes_without_scores_are_refused():
    with pytest.raises(AssertionError, match='shape'):
        groups_of(BOXES[:, :4], 0.5)
