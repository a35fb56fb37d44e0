"""Deformable attention as mmcv calls it on GPUs, against what it computes itself on CPUs."""

import pytest
import torch

pytestmark = pytest.mark.usefixtures('ext')

SHAPES = torch.tensor([[5, 7], [3, 4]])


def case(device):
    torch.manual_seed(0)
    value = torch.randn(2, 47, 3, 4, dtype=torch.float64)
    places = torch.rand(2, 6, 3, 2, 5, 2, dtype=torch.float64) * 1.4 - 0.2  # some are outside
    weights = torch.rand(2, 6, 3, 2, 5, dtype=torch.float64)
    return [tensor.to(device).requires_grad_() for tensor in (value, places, weights)]


def ours(value, places, weights):
    from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction

    starts = torch.tensor([0, 35], device=value.device)
    shapes = SHAPES.to(value.device)
    return MultiScaleDeformableAttnFunction.apply(value, shapes, starts, places, weights, 64)


def test_values_and_gradients_equal_mmcvs(device):
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    value, places, weights = case(device)
    found = ours(value, places, weights)
    wanted = multi_scale_deformable_attn_pytorch(value, SHAPES.to(device), places, weights)
    torch.testing.assert_close(found, wanted)
    grad = torch.randn_like(found)
    for one, other in zip(
        torch.autograd.grad(found, (value, places, weights), grad),
        torch.autograd.grad(wanted, (value, places, weights), grad),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_half_precision_is_computed_in_float32(device):
    half = [tensor.detach().half() for tensor in case(device)]
    exact = ours(*(tensor.float() for tensor in half))
    assert torch.equal(ours(*half), exact.half())


def test_maps_that_do_not_add_up_are_refused(device):
    value, places, weights = case(device)
    with pytest.raises(RuntimeError, match='split'):
        ours(value[:, 1:], places, weights)
