"""Masks are encoded as pycocotools does, whatever they look like and however they are held."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from mmdet.structures.mask import encode_mask_results

from rethink_det.detection.evaluation.rle import encode_masks


def around(masks):
    """Boxes of the masks, as a detector may have them: about right, or not at all."""
    rng = np.random.default_rng(masks.size)
    boxes = np.tile([0.0, 0.0, masks.shape[2], masks.shape[1]], (len(masks), 1))
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = mask.nonzero()
        if len(rows):
            box[:] = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return boxes + rng.normal(0, rng.choice([0, 0.5, 3]), boxes.shape)


def encoded(masks):
    return encode_masks(masks, around(masks))


@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=7)))
def test_any_masks_equal_pycocotools(masks):
    assert encoded(masks) == encode_mask_results(masks)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 1000))
def test_noise_equals_pycocotools(height, width, density, seed):
    masks = np.random.default_rng(seed).random((3, height, width)) < density
    assert encoded(masks) == encode_mask_results(masks)


@pytest.mark.parametrize('value, dtype', [(1, np.uint8), (255, np.uint8), (1, float), (0.4, float)])
def test_masks_of_numbers_are_read_as_mmdet_does(value, dtype):
    masks = np.zeros((2, 6, 5), dtype)
    masks[0, 1:4, 2:] = value
    masks[1, :, 1] = value  # from the top to the bottom
    assert encoded(masks) == encode_mask_results(masks)


def test_layout_in_memory_does_not_matter():
    masks = np.random.default_rng(0).random((4, 9, 8)) < 0.5
    turned = np.asfortranarray(masks)
    assert encoded(turned[:, ::2]) == encode_mask_results(masks[:, ::2])


def test_a_run_across_columns_is_one():
    masks = np.zeros((1, 4, 3), bool)
    masks[0, 2:, 0] = masks[0, :2, 1] = True
    whole = np.ones((1, 4, 3), bool)
    assert encoded(masks) == encode_mask_results(masks)
    assert encoded(whole) == encode_mask_results(whole)


def test_no_masks_are_no_rle():
    assert encoded(np.zeros((0, 4, 3), bool)) == []


@pytest.mark.parametrize(
    'box',
    [
        (2, 1, 5, 4), (3, 3, 3, 3), (5, 4, 2, 1), (-9, -9, -1, -1), (90, 90, 99, 99),
        (float('nan'),) * 4, (float('-inf'), 0, float('inf'), 2), (-1e30, -1e30, 1e30, 1e30),
    ],
)  # fmt: skip
def test_a_box_may_be_anywhere(box):
    masks = np.zeros((2, 6, 7), bool)
    masks[0, 1:5, 2:6] = True  # and one that is empty
    assert encode_masks(masks, np.array([box, box], np.float32)) == encode_mask_results(masks)


@pytest.mark.parametrize(
    'masks, boxes, message',
    [
        (np.zeros((4, 3), bool), np.zeros((1, 4)), 'unpack'),
        (np.zeros((2, 4, 3), bool), np.zeros((1, 4)), 'zip'),
    ],
)
def test_masks_of_another_number_than_boxes_are_refused(masks, boxes, message):
    with pytest.raises(ValueError, match=message):
        encode_masks(masks, boxes)
