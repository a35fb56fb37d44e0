"""Soft-NMS through mmcv.ops against figure 2 of arXiv 1704.04503, written out in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures('ext')


def overlap(a, b, offset):
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    common = np.prod(np.clip(high - low + offset, 0, None))
    return common / (sum(np.prod(box[2:] - box[:2] + offset) for box in (a, b)) - common)


def decay(method, iou, threshold, sigma):
    """Section 3: the pruning step of NMS, equation 1 (linear) and the Gaussian after it."""
    if method == 'gaussian':
        return np.exp(-(iou**2) / sigma)
    if iou < threshold:
        return 1.0
    return 1 - iou if method == 'linear' else 0.0


def reference(boxes, scores, threshold, sigma, min_score, method, offset):
    """Kept indices and their scores."""
    scores, rest, kept = np.array(scores, dtype=np.float64), list(range(len(boxes))), []
    while rest:
        best = max(rest, key=lambda i: scores[i])
        kept.append(best)
        rest.remove(best)
        for i in rest:
            iou = overlap(boxes[best], boxes[i], offset)
            scores[i] *= decay(method, iou, threshold, sigma)
        rest = [i for i in rest if scores[i] >= min_score]
    return kept, scores[kept]


def random_boxes(seed, count):
    generator = np.random.default_rng(seed)
    corners = generator.uniform(0, 30, (count, 2))
    boxes = np.hstack((corners, corners + generator.uniform(1, 25, (count, 2))))
    return boxes.astype(np.float32), generator.uniform(0, 1, count).astype(np.float32)


@given(
    st.integers(0, 999),
    st.integers(1, 40),
    st.sampled_from(['naive', 'linear', 'gaussian']),
    st.sampled_from([0.1, 0.3, 0.7]),
    st.sampled_from([0.3, 0.5, 2.0]),
    st.sampled_from([0.001, 0.05, 0.4]),
    st.sampled_from([0, 1]),
)
def test_equals_the_reference(seed, count, method, threshold, sigma, min_score, offset):
    from mmcv.ops import soft_nms

    boxes, scores = random_boxes(seed, count)
    dets, kept = soft_nms(boxes, scores, threshold, sigma, min_score, method, offset)
    expected, final = reference(
        boxes.astype(np.float64), scores, threshold, sigma, min_score, method, offset
    )
    assert kept.tolist() == expected
    np.testing.assert_array_equal(dets[:, :4], boxes[expected])
    np.testing.assert_allclose(dets[:, 4], final, rtol=1e-5)


@pytest.mark.parametrize('offset', [0, 1])
def test_naive_is_hard_nms(offset):
    from mmcv.ops import nms, soft_nms

    boxes, scores = map(torch.from_numpy, random_boxes(0, 60))
    soft, kept = soft_nms(boxes, scores, 0.3, min_score=1e-9, method='naive', offset=offset)
    hard, expected = nms(boxes, scores, 0.3, offset)
    assert torch.equal(kept, expected)
    assert torch.equal(soft, hard)


@pytest.mark.parametrize('percent', [30, 55, 60])
def test_a_box_exactly_at_the_threshold_is_lowered(percent):
    from mmcv.ops import soft_nms

    boxes = torch.tensor([[0.0, 0, 10, 100], [0, 0, 10, percent]])
    scores = torch.tensor([0.9, 0.8])
    dets, _ = soft_nms(boxes, scores, percent / 100)
    assert dets[1, 4] == pytest.approx(0.8 * (1 - percent / 100))
    dets, _ = soft_nms(boxes, scores, (percent + 1) / 100)
    assert dets[1, 4] == pytest.approx(0.8)


def test_offset_counts_the_last_pixel():
    from mmcv.ops import soft_nms

    # They share a line without offset, a column of 3 pixels with it: 3 / (9 + 9 - 3).
    boxes, scores = torch.tensor([[0.0, 0, 2, 2], [2, 0, 4, 2]]), torch.tensor([0.9, 0.8])
    assert soft_nms(boxes, scores, 0.1, offset=0)[0][1, 4] == pytest.approx(0.8)
    assert soft_nms(boxes, scores, 0.1, offset=1)[0][1, 4] == pytest.approx(0.8 * 0.8)


def test_offset_is_exact_at_the_coordinates_of_batched_nms():
    from mmcv.ops import soft_nms

    # One pixel each, one apart: disjoint with offset 1. 2**24 + 1 does not exist in float32.
    big = float(2**24)
    boxes = torch.tensor([[big, 0, big, 0], [big + 2, 0, big + 2, 0]])
    scores = torch.tensor([0.9, 0.8])
    dets, _ = soft_nms(boxes, scores, 0.0, offset=1, method='gaussian')
    assert dets[:, 4].tolist() == pytest.approx([0.9, 0.8])
    _, kept = soft_nms(boxes[[0, 0]], scores, offset=1)  # the same pixel: nothing is left
    assert kept.tolist() == [0]


def test_the_best_box_is_kept_whatever_its_score():
    from mmcv.ops import soft_nms

    boxes = torch.tensor([[0.0, 0, 9, 9], [20, 20, 29, 29]])
    dets, kept = soft_nms(boxes, torch.tensor([0.1, 0.2]), min_score=0.5)
    assert kept.tolist() == [1]
    assert dets.shape == (1, 5)


def test_a_score_exactly_at_the_minimum_is_kept():
    from mmcv.ops import soft_nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5]])  # half overlaps: 0.5 becomes 0.25
    assert len(soft_nms(boxes, torch.tensor([0.75, 0.5]), min_score=0.25)[1]) == 2
    assert len(soft_nms(boxes, torch.tensor([0.75, 0.5]), min_score=0.26)[1]) == 1


@pytest.mark.parametrize('method', ['naive', 'linear', 'gaussian'])
def test_boxes_without_area_overlap_nothing(method):
    from mmcv.ops import soft_nms

    boxes, scores = torch.ones(3, 4), torch.tensor([0.5, 0.7, 0.6])
    dets, kept = soft_nms(boxes, scores, method=method)
    assert kept.tolist() == [1, 2, 0]
    assert torch.equal(dets[:, 4], scores[kept])


def test_equal_scores_keep_their_order():
    from mmcv.ops import soft_nms

    boxes = torch.arange(6.0)[:, None] * 20 + torch.tensor([0.0, 0, 9, 9])
    assert soft_nms(boxes, torch.full((6,), 0.5))[1].tolist() == list(range(6))


def test_no_boxes():
    from mmcv.ops import soft_nms

    dets, kept = soft_nms(torch.zeros(0, 4), torch.zeros(0))
    assert dets.shape == (0, 5)
    assert kept.shape == (0,)
    assert kept.dtype == torch.int64


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_other_precisions_and_inputs_that_learn(device, dtype):
    from mmcv.ops import soft_nms

    boxes = torch.tensor([[0.0, 0, 10, 100], [0, 0, 10, 50]], dtype=dtype, device=device)
    scores = torch.tensor([0.5, 0.75], device=device)
    dets, kept = soft_nms(boxes.requires_grad_(), scores.requires_grad_(), 0.5)
    assert kept.tolist() == [1, 0]
    assert dets[:, 4].tolist() == [0.75, 0.25]
    assert dets.device == boxes.device


def test_batched_nms_keeps_classes_apart(device):
    from mmcv.ops import batched_nms

    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 8], [0, 0, 9, 9]], device=device)
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    classes = torch.tensor([0, 0, 1], device=device)
    options = dict(type='soft_nms', iou_threshold=0.5, min_score=0.05)
    dets, kept = batched_nms(boxes, scores, classes, options)
    assert kept.tolist() == [0, 2, 1]
    assert dets[:, 4].tolist() == pytest.approx([0.9, 0.7, 0.8 * (1 - 8 / 9)])


def test_arguments_stay_as_they_are():
    from mmcv.ops import soft_nms

    boxes, scores = random_boxes(0, 20)
    before = boxes.copy(), scores.copy()
    soft_nms(boxes, scores)
    np.testing.assert_array_equal(boxes, before[0])
    np.testing.assert_array_equal(scores, before[1])


@pytest.mark.parametrize('change', [dict(method='cubic'), dict(offset=2)])
def test_unknown_methods_and_offsets_are_refused(change):
    from mmcv.ops import soft_nms

    with pytest.raises(AssertionError):
        soft_nms(torch.zeros(1, 4), torch.ones(1), **change)


def test_room_for_fewer_boxes_than_kept_is_refused(ext):
    boxes, scores = map(torch.from_numpy, random_boxes(0, 9))
    options = dict(iou_threshold=0.3, sigma=0.5, min_score=0.0, method=1, offset=0)
    with pytest.raises(RuntimeError, match='size'):
        ext.softnms(boxes, scores, torch.empty(4, 5), **options)
