"""Masked convolution through mmcv.ops: the plain one where the mask is, 0 elsewhere."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

pytestmark = pytest.mark.usefixtures('ext')


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.floats(0, 1))
def test_equals_a_plain_convolution_where_the_mask_is(kernel_h, kernel_w, padding, share):
    from mmcv.ops import masked_conv2d

    torch.manual_seed(0)
    features, bias = torch.randn(1, 4, 6, 7), torch.randn(5)
    weight = torch.randn(5, 4, kernel_h, kernel_w)
    plain = F.conv2d(features, weight, bias, padding=padding)
    # mmcv asserts that mask and features are of one size; the output's places are read off it.
    mask = torch.zeros(1, 6, 7)
    inside = mask[:, : plain.shape[2], : plain.shape[3]]
    inside.copy_(torch.rand(inside.shape) < share)
    found = masked_conv2d(features, mask, weight, bias, padding)
    wanted = torch.zeros_like(plain)
    here = inside[0].bool()
    wanted[:, :, : here.shape[0], : here.shape[1]][:, :, here] = plain[
        :, :, : here.shape[0], : here.shape[1]
    ][:, :, here]
    torch.testing.assert_close(found, wanted)


def test_several_images_at_once_are_refused():
    from mmcv.ops import MaskedConv2d

    layer, images = MaskedConv2d(2, 3, 3, padding=1), torch.ones(2, 2, 4, 4)
    with pytest.raises(AssertionError):
        layer(images, torch.ones(1, 4, 4))
    assert layer(images[:1], torch.ones(1, 4, 4)).all()
