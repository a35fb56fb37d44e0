"""Modulated deformable convolution through mmcv.ops against bilinear sampling by grid_sample."""

import pytest
import torch
from hypothesis import given

from tests.compat.deformable import (
    MODULATED,
    RAMP,
    SMALL,
    case,
    geometries,
    reference,
    values_and_gradients,
)

pytestmark = pytest.mark.usefixtures('ext')


def modulated_reference(*geometry):
    def function(input, offset, mask, weight, bias):
        return reference(input, offset, weight, *geometry, mask) + bias[:, None, None]

    return function


@given(geometries)
def test_modulated_values_and_gradients_equal_the_reference(geometry):
    from mmcv.ops import modulated_deform_conv2d

    tensors, arguments = case(geometry)
    ours = values_and_gradients(
        lambda *t: modulated_deform_conv2d(*t, *arguments), tensors, MODULATED
    )
    theirs = values_and_gradients(modulated_reference(*arguments), tensors, MODULATED)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_modulated_gradients_equal_finite_differences():
    from mmcv.ops import modulated_deform_conv2d

    tensors, arguments = case(SMALL, size=(4, 6))
    assert torch.autograd.gradcheck(
        lambda *t: modulated_deform_conv2d(*t, *arguments), [tensors[name] for name in MODULATED]
    )


def test_without_bias_none_is_added():
    from mmcv.ops import modulated_deform_conv2d

    tensors, arguments = case(SMALL)
    inputs = [tensors[name] for name in MODULATED[:-1]]
    with_zeros = modulated_deform_conv2d(*inputs, torch.zeros(4), *arguments)
    assert torch.equal(modulated_deform_conv2d(*inputs, None, *arguments), with_zeros)


def test_mask_scales_each_kernel_position():
    from mmcv.ops import modulated_deform_conv2d

    weight = torch.ones(1, 1, 1, 3)
    mask = torch.tensor([0.0, 0.5, 1.0])[None, :, None, None].expand(1, 3, 4, 2)
    out = modulated_deform_conv2d(RAMP[None, None], torch.zeros(1, 6, 4, 2), mask, weight)
    assert torch.equal(out[0, 0], 0.5 * RAMP[:, 1:3] + RAMP[:, 2:])


def test_a_mask_of_other_size_is_refused():
    from mmcv.ops import modulated_deform_conv2d

    input, weight, offset = (
        torch.zeros(1, 4, 5, 5),
        torch.zeros(4, 4, 3, 3),
        torch.zeros(1, 18, 3, 3),
    )
    with pytest.raises(RuntimeError, match='mask'):
        modulated_deform_conv2d(input, offset, torch.zeros(1, 9, 2, 3), weight)


def test_offsets_of_a_finer_map_are_read_from_the_beginning_of_their_memory():
    # DyHead gives a coarser map the offsets of the finer one; so mmcv's kernel reads them.
    from mmcv.ops import modulated_deform_conv2d

    torch.manual_seed(0)
    weight = torch.randn(4, 4, 3, 3, dtype=torch.float64)
    coarse, offset, mask = (
        torch.randn(2, count, side, side, dtype=torch.float64, requires_grad=True)
        for count, side in ((4, 5), (18, 10), (9, 10))
    )
    read = [t.flatten(1)[:, : t.shape[1] * 25].view(2, -1, 5, 5) for t in (offset, mask)]
    found = modulated_deform_conv2d(coarse, offset, mask, weight, None, 1, 1)
    wanted = modulated_deform_conv2d(coarse, *read, weight, None, 1, 1)
    assert torch.equal(found, wanted)
    tensors, grad = (coarse, offset, mask), torch.randn_like(found)
    ours = torch.autograd.grad(found, tensors, grad)
    theirs = torch.autograd.grad(wanted, tensors, grad)
    assert all(map(torch.equal, ours, theirs))
    assert not ours[1].flatten(1)[:, 18 * 25 :].any()


def test_offsets_of_a_coarser_map_are_refused():
    # mmcv reads beyond their end.
    from mmcv.ops import modulated_deform_conv2d

    image, weight = torch.zeros(1, 4, 5, 5), torch.zeros(4, 4, 3, 3)
    with pytest.raises(RuntimeError, match='offset'):
        modulated_deform_conv2d(image, torch.zeros(1, 18, 2, 3), torch.zeros(1, 9, 3, 3), weight)
