"""Deformable RoI pooling through mmcv.ops."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures('ext')

ROIS = torch.tensor([[0, 2.0, 1.0, 9.0, 8.0], [1, 0.5, 3.0, 4.0, 11.0], [0, -3.0, 5.0, 14.0, 12.0]])


def case(bins=(2, 3), seed=0, device='cpu'):
    torch.manual_seed(seed)
    features = torch.randn(2, 3, 9, 10, dtype=torch.float64)
    offset = torch.randn(3, 2, *bins, dtype=torch.float64)
    return [t.to(device) for t in (features.requires_grad_(), ROIS.double(), offset)]


def sampled(features, rois, offset, size, scale, ratio, gamma):
    """Bin by bin, sample by sample, as section 2.2 of arXiv 1703.06211 has it."""
    out = features.new_zeros(len(rois), features.shape[1], *size)
    for number, roi in enumerate(rois):
        x1, y1, x2, y2 = (roi[1:] * scale - 0.5).tolist()
        part_h, part_w = (y2 - y1) / size[0], (x2 - x1) / size[1]
        for row in range(size[0]):
            for column in range(size[1]):
                right, down = offset[number, :, row, column]
                y = y1 + gamma * (y2 - y1) * down + row * part_h
                x = x1 + gamma * (x2 - x1) * right + column * part_w
                values = [
                    bilinear(
                        features[int(roi[0])],
                        y + (i + 0.5) * part_h / ratio,
                        x + (j + 0.5) * part_w / ratio,
                    )
                    for i in range(ratio)
                    for j in range(ratio)
                ]
                out[number, :, row, column] = torch.stack(values).mean(0)
    return out


def bilinear(features, y, x):
    _, height, width = features.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return 0 * features[:, 0, 0]
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    top, left = int(y), int(x)
    below, beside = min(top + 1, height - 1), min(left + 1, width - 1)
    upper = features[:, top, left] * (left + 1 - x) + features[:, top, beside] * (x - left)
    lower = features[:, below, left] * (left + 1 - x) + features[:, below, beside] * (x - left)
    return upper * (top + 1 - y) + lower * (y - top)


@given(st.integers(0, 2**16), st.integers(1, 3), st.sampled_from([0.1, 0.5]))
def test_values_and_gradients_equal_the_samples(seed, ratio, gamma):
    from mmcv.ops import deform_roi_pool

    features, rois, offset = case(seed=seed)
    offset.requires_grad_()
    arguments = (2, 3), 0.75, ratio, gamma
    ours = deform_roi_pool(features, rois, offset, *arguments)
    theirs = sampled(features, rois, offset, *arguments)
    torch.testing.assert_close(ours, theirs)
    grad = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, (features, offset), grad),
        torch.autograd.grad(theirs, (features, offset), grad),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize('ratio', [0, 2])
def test_without_offsets_it_is_roi_align(ratio, device):
    from mmcv.ops import deform_roi_pool, roi_align

    features, rois, offset = case(device=device)
    plain = roi_align(features, rois, (2, 3), 0.75, ratio, 'avg', True)
    for still in (None, torch.zeros_like(offset)):
        found = deform_roi_pool(features, rois, still, (2, 3), 0.75, ratio)
        torch.testing.assert_close(found, plain)
        (one,) = torch.autograd.grad(found.sum(), features)
        (other,) = torch.autograd.grad(plain.sum(), features, retain_graph=True)
        torch.testing.assert_close(one, other)


def test_the_documented_values_and_gradients():
    # Numbers of mmcv's tests/test_ops/test_deform_roi_pool.py.
    from mmcv.ops import DeformRoIPool

    features = torch.tensor([[[[1.0, 2], [3, 4]], [[4, 3], [2, 1]]]], requires_grad=True)
    found = DeformRoIPool(2, 1.0, 2)(features, torch.tensor([[0.0, 0, 0, 1, 1]]))
    wanted = [[[[1, 1.25], [1.5, 1.75]], [[4, 3.75], [3.5, 3.25]]]]
    torch.testing.assert_close(found, torch.tensor(wanted))
    found.sum().backward()
    share = [[3.0625, 0.4375], [0.4375, 0.0625]]
    torch.testing.assert_close(features.grad, torch.tensor([[share, share]]))


def test_no_regions_give_none():
    from mmcv.ops import deform_roi_pool

    features, rois, offset = case()
    offset.requires_grad_()
    found = deform_roi_pool(features, rois[:0], offset[:0], (2, 3))
    assert found.shape == (0, 3, 2, 3)
    found.sum().backward()
    assert not features.grad.any()


def test_regions_without_their_image_are_refused():
    from mmcv.ops import deform_roi_pool

    features, rois, _ = case()
    with pytest.raises(AssertionError, match='idx'):
        deform_roi_pool(features, rois[:, 1:], None, (2, 3))
