"""Deformable convolutions through mmcv.ops against bilinear sampling by grid_sample."""

import pytest
import torch
from hypothesis import given
from torch.nn import functional as F

from tests.compat.deformable import (
    MODULATED,
    PLAIN,
    RAMP,
    SMALL,
    case,
    geometries,
    reference,
    values_and_gradients,
)

pytestmark = pytest.mark.usefixtures('ext')


def plain_reference(*geometry):
    return lambda input, offset, weight: reference(input, offset, weight, *geometry)


@given(geometries)
def test_values_and_gradients_equal_the_reference(geometry):
    from mmcv.ops import deform_conv2d

    tensors, arguments = case(geometry)
    ours = values_and_gradients(lambda *t: deform_conv2d(*t, *arguments), tensors, PLAIN)
    theirs = values_and_gradients(plain_reference(*arguments), tensors, PLAIN)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_equal_finite_differences():
    from mmcv.ops import deform_conv2d

    tensors, arguments = case(SMALL, size=(4, 6))
    assert torch.autograd.gradcheck(
        lambda *t: deform_conv2d(*t, *arguments), [tensors[name] for name in PLAIN]
    )


@pytest.mark.parametrize(
    'operator, names', [('deform_conv2d', PLAIN), ('modulated_deform_conv2d', MODULATED)]
)
def test_an_offset_that_is_no_number_is_nan_there_alone(operator, names):
    from mmcv import ops

    tensors, arguments = case(SMALL, size=(6, 6))
    given = [tensors[name].detach() for name in names]
    sound = getattr(ops, operator)(*given, *arguments)
    given[1][0, 0, 1, 1] = float('nan')
    given = [one.requires_grad_() for one in given]
    found = getattr(ops, operator)(*given, *arguments)
    assert found[0, :, 1, 1].isnan().all()
    assert found.isnan().sum() == found.shape[1]
    same = torch.ones_like(found, dtype=torch.bool)
    same[0, :, 1, 1] = False
    torch.testing.assert_close(found[same], sound[same])
    found[same].sum().backward()
    assert all(one.grad.isfinite().all() for one in given)


def test_on_every_device(device):
    from mmcv.ops import deform_conv2d, modulated_deform_conv2d

    for operator, names in ((deform_conv2d, PLAIN), (modulated_deform_conv2d, MODULATED)):
        tensors, arguments = case(SMALL, device)
        found = values_and_gradients(lambda *t: operator(*t, *arguments), tensors, names)  # noqa: B023
        tensors, _ = case(SMALL)
        expected = values_and_gradients(lambda *t: operator(*t, *arguments), tensors, names)  # noqa: B023
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one.cpu(), other)


def test_offsets_are_downwards_then_to_the_right(device):
    from mmcv.ops import deform_conv2d

    input, weight = RAMP[None, None].to(device), torch.ones(1, 1, 1, 1, device=device)
    down, right = torch.zeros(2, 1, 2, 4, 4, device=device).unbind()
    down[:, 0], right[:, 1] = 1, 1
    moved = deform_conv2d(input, down, weight)[0, 0]
    assert torch.equal(moved[:3].cpu(), RAMP[1:])
    assert not moved[3].any()  # below the map
    assert torch.equal(deform_conv2d(input, right, weight)[0, 0, :, :3].cpu(), RAMP[:, 1:])


@pytest.mark.parametrize('trained', [('weight',), ('offset',), ('input', 'weight')])
def test_gradients_of_a_part_are_those_of_the_whole(trained):
    # The weight's gradient is left over from that of the input, or computed if there is none.
    from mmcv.ops import deform_conv2d

    tensors, arguments = case(SMALL)
    whole = values_and_gradients(lambda *t: deform_conv2d(*t, *arguments), tensors, PLAIN)
    whole = dict(zip(PLAIN, whole[1:], strict=True))
    for name in set(PLAIN) - set(trained):
        tensors[name].requires_grad_(False)
    out = deform_conv2d(*(tensors[name] for name in PLAIN), *arguments)
    for _ in range(2):  # the second time finds the leavings of the first
        out.backward(tensors['grad'], retain_graph=True)
    for name in trained:
        torch.testing.assert_close(tensors[name].grad, 2 * whole[name])


def test_layers_start_as_plain_convolutions(device):
    from mmcv.ops import DeformConv2dPack, ModulatedDeformConv2dPack

    torch.manual_seed(0)
    options = dict(kernel_size=3, stride=2, padding=2, dilation=2, groups=2, deform_groups=4)
    image = torch.randn(2, 8, 9, 11, device=device)
    # Offsets start at 0, and masks at sigmoid(0).
    for kind, start in ((DeformConv2dPack, 1), (ModulatedDeformConv2dPack, 0.5)):
        layer = kind(8, 6, **options).to(device)
        plain = F.conv2d(image, layer.weight, None, 2, 2, 2, 2)
        torch.testing.assert_close(layer(image), start * plain)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(device, dtype):
    from mmcv.ops import deform_conv2d

    tensors, arguments = case(SMALL, device)
    half = [tensors[name].detach().to(dtype).requires_grad_() for name in PLAIN]
    exact = deform_conv2d(*(tensor.float() for tensor in half), *arguments)
    out = deform_conv2d(*half, *arguments)
    assert torch.equal(out, exact.to(dtype))
    out.sum().backward()
    assert all(tensor.grad.dtype == dtype and tensor.grad.isfinite().all() for tensor in half)


@pytest.mark.parametrize('deform_groups', [2, 3])
def test_offsets_of_other_groups_are_refused(deform_groups):
    from mmcv.ops import deform_conv2d

    input, weight = torch.zeros(1, 4, 5, 5), torch.zeros(4, 4, 3, 3)
    with pytest.raises(RuntimeError, match='offset'):
        deform_conv2d(input, torch.zeros(1, 18, 3, 3), weight, 1, 0, 1, 1, deform_groups)


def test_an_unknown_keyword_is_refused(ext):
    with pytest.raises(TypeError, match='stride'):
        ext.deform_conv_forward(*[torch.zeros(0)] * 6, stride=1)
