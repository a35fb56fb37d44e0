"""CARAFE through mmcv.ops against the paper's sum over unfolded patches."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

pytestmark = pytest.mark.usefixtures('ext')


def unfolded(features, masks, size, groups, scale):
    """Equation 4 of arXiv 1905.02188: all patches at once."""
    images, channels, height, width = features.shape
    patches = F.unfold(features, size, padding=size // 2)
    patches = patches.view(images, channels * size * size, height, width)
    patches = F.interpolate(patches, scale_factor=scale, mode='nearest')
    patches = patches.view(images, groups, channels // groups, size * size, *masks.shape[-2:])
    weights = masks.view(images, groups, 1, size * size, *masks.shape[-2:])
    return (patches * weights).sum(3).flatten(1, 2)


def tensors(size, groups, scale, height=4, width=3, device='cpu'):
    torch.manual_seed(0)
    features = torch.randn(2, 8, height, width, dtype=torch.float64)
    masks = torch.rand(2, groups * size * size, scale * height, scale * width, dtype=torch.float64)
    return [tensor.to(device).requires_grad_() for tensor in (features, masks)]


@given(st.sampled_from([1, 3, 5]), st.sampled_from([1, 2, 8]), st.integers(1, 3))
def test_values_and_gradients_equal_the_sum(size, groups, scale):
    from mmcv.ops import carafe

    given_tensors = tensors(size, groups, scale)
    ours = carafe(*given_tensors, size, groups, scale)
    theirs = unfolded(*given_tensors, size, groups, scale)
    torch.testing.assert_close(ours, theirs)
    grad = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, given_tensors, grad),
        torch.autograd.grad(theirs, given_tensors, grad),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_gradients_equal_finite_differences():
    from mmcv.ops import carafe

    assert torch.autograd.gradcheck(lambda *t: carafe(*t, 3, 2, 2), tensors(3, 2, 2, 3, 2))


def test_the_other_way_to_call_it_gives_the_same(device):
    from mmcv.ops import carafe, carafe_naive

    given_tensors = tensors(5, 4, 2, device=device)
    found = carafe_naive(*given_tensors, 5, 4, 2)
    assert torch.equal(found, carafe(*given_tensors, 5, 4, 2))


def test_half_precision_is_summed_in_float32(device):
    from mmcv.ops import carafe

    half = [tensor.detach().half() for tensor in tensors(5, 1, 2, device=device)]
    exact = carafe(*(tensor.float() for tensor in half), 5, 1, 2)
    assert torch.equal(carafe(*half, 5, 1, 2), exact.half())


def test_kernels_of_another_size_are_refused():
    from mmcv.ops import carafe

    with pytest.raises(AssertionError):
        carafe(torch.zeros(1, 4, 3, 3), torch.zeros(1, 9, 6, 5), 3, 1, 2)
