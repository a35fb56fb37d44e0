"""NMS through mmcv.ops against a hand-written reference in exact fractions."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures('ext')


def overlap(a, b, offset):
    """IoU of two integer boxes as mmcv defines it, exactly. No area: nothing to suppress."""
    width = max(min(a[2], b[2]) - max(a[0], b[0]) + offset, 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]) + offset, 0)

    def area(box):
        return (box[2] - box[0] + offset) * (box[3] - box[1] + offset)

    union = area(a) + area(b) - width * height
    return Fraction(width * height, union) if union else Fraction(0)


def reference_nms(boxes, scores, percent, offset):
    """Greedy NMS in O(n^2); a threshold of ``percent`` / 100."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):  # sorted is stable
        if all(overlap(boxes[i], boxes[j], offset) <= Fraction(percent, 100) for j in kept):
            kept.append(i)
    return kept


def mmcv_nms(boxes, scores, percent, offset, device='cpu', dtype=torch.float32):
    from mmcv.ops import nms

    boxes = torch.tensor(boxes, dtype=dtype, device=device).reshape(-1, 4)
    scores = torch.tensor(scores, dtype=dtype, device=device)
    dets, kept = nms(boxes, scores, percent / 100, offset=offset)
    assert torch.equal(dets, torch.cat((boxes[kept], scores[kept, None]), 1))
    return kept.tolist()


coordinate, extent = st.integers(0, 12), st.integers(0, 9)
box = st.tuples(coordinate, coordinate, extent, extent).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
# Few scores, so that many are equal; few thresholds, so that many IoUs equal them.
scored_boxes = st.lists(st.tuples(box, st.sampled_from([0.125, 0.25, 0.5, 0.75])), max_size=14)


@settings(max_examples=300, deadline=None)
@given(scored_boxes, st.sampled_from([0, 10, 25, 30, 50, 55, 60, 70]), st.sampled_from([0, 1]))
def test_equals_the_reference(scored, percent, offset):
    boxes, scores = [b for b, _ in scored], [s for _, s in scored]
    expected = reference_nms(boxes, scores, percent, offset)
    assert mmcv_nms(boxes, scores, percent, offset) == expected


@pytest.mark.parametrize('percent', [30, 50, 55, 60, 70])
def test_a_box_exactly_at_the_threshold_is_kept(device, percent):
    # torchvision drops it at 0.3, 0.55 and 0.6, whose nearest float32 is the larger one.
    boxes = [(0, 0, 10, 100), (0, 0, 10, percent)]
    assert mmcv_nms(boxes, [0.9, 0.8], percent, 0, device) == [0, 1]
    assert mmcv_nms(boxes, [0.9, 0.8], percent - 1, 0, device) == [0]


def test_offset_counts_the_last_pixel(device):
    # Side by side: without offset they touch in a line, with it they share a column of
    # 3 pixels: 3 / (9 + 9 - 3).
    boxes = [(0, 0, 2, 2), (2, 0, 4, 2)]
    assert mmcv_nms(boxes, [0.9, 0.8], 19, 0, device) == [0, 1]
    assert mmcv_nms(boxes, [0.9, 0.8], 19, 1, device) == [0]
    assert mmcv_nms(boxes, [0.9, 0.8], 20, 1, device) == [0, 1]


def test_offset_is_exact_at_the_coordinates_of_batched_nms(device):
    # One pixel each, one apart: disjoint with offset 1. 2**24 + 1 does not exist in float32.
    big = 2**24
    boxes = [(big, 0, big, 0), (big + 2, 0, big + 2, 0)]
    assert mmcv_nms(boxes, [0.9, 0.8], 0, 1, device) == [0, 1]
    assert mmcv_nms([boxes[0]] * 2, [0.9, 0.8], 0, 1, device) == [0]


@pytest.mark.parametrize('offset', [0, 1])
def test_no_boxes(device, offset):
    assert mmcv_nms([], [], 50, offset, device) == []


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(device, dtype):
    boxes = [(0, 0, 10, 100), (0, 0, 10, 60), (0, 0, 10, 50)]
    assert mmcv_nms(boxes, [0.5, 0.75, 0.25], 60, 0, device, dtype) == [1, 0]


def test_scores_of_another_precision_than_boxes(ext, device):
    # Mixed precision training: boxes in float32, scores in float16.
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 8]], device=device)
    scores = torch.tensor([0.25, 0.5], dtype=torch.float16, device=device)
    assert ext.nms(boxes, scores, iou_threshold=0.5, offset=0).tolist() == [1]


def test_batched_nms_keeps_classes_apart(device):
    from mmcv.ops import batched_nms

    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 8], [0, 0, 9, 9]], device=device)
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    classes = torch.tensor([0, 0, 1], device=device)
    _, kept = batched_nms(boxes, scores, classes, dict(type='nms', iou_threshold=0.5))
    assert kept.tolist() == [0, 2]


def test_boxes_and_scores_must_correspond(ext):
    with pytest.raises(RuntimeError, match='same number'):
        ext.nms(torch.zeros(2, 4), torch.zeros(3), iou_threshold=0.5, offset=0)


def test_boxes_have_four_coordinates(ext):
    with pytest.raises(RuntimeError):
        ext.nms(torch.zeros(2, 5), torch.zeros(2), iou_threshold=0.5, offset=0)
