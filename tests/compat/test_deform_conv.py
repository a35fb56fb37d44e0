"""Deformable convolutions through mmcv.ops against bilinear sampling by grid_sample."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

pytestmark = pytest.mark.usefixtures('ext')

RAMP = 4 * torch.arange(4.0)[:, None] + torch.arange(4.0)  # f(y, x) = 4y + x


def reference(input, offset, weight, stride, padding, dilation, groups, deform_groups, mask=None):
    """The papers' sums: sample each kernel position of each deform group, then contract.

    Dai et al., arXiv 1703.06211, equation 2; Zhu et al., arXiv 1811.11168, equation 1.
    """
    (images, channels, height, width), (rows, columns) = input.shape, offset.shape[-2:]
    outs, _, kernel_h, kernel_w = weight.shape
    shape = (images * deform_groups, kernel_h, kernel_w)
    offset = offset.reshape(*shape, 2, rows, columns)
    mask = torch.ones_like(offset[:, :, :, 0]) if mask is None else mask.reshape(*shape, rows, -1)
    maps = input.reshape(images * deform_groups, channels // deform_groups, height, width)
    samples = []
    for i in range(kernel_h):
        for j in range(kernel_w):
            y = torch.arange(rows) * stride[0] - padding[0] + i * dilation[0]
            x = torch.arange(columns) * stride[1] - padding[1] + j * dilation[1]
            y, x = y[:, None] + offset[:, i, j, 0], x + offset[:, i, j, 1]
            grid = torch.stack((2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1), -1)
            sampled = F.grid_sample(maps, grid, padding_mode='zeros', align_corners=True)
            samples.append(sampled * mask[:, None, i, j])
    samples = torch.stack(samples, 2).reshape(images, groups, channels // groups, -1, rows, columns)
    weight = weight.reshape(groups, outs // groups, channels // groups, -1)
    return torch.einsum('bgckyx,gock->bgoyx', samples, weight).flatten(1, 2)


pairs = st.tuples(st.integers(0, 2), st.integers(0, 2))
geometries = st.fixed_dictionaries(
    dict(
        kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
        stride=st.tuples(st.integers(1, 2), st.integers(1, 2)),
        padding=pairs,
        dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
        groups=st.sampled_from([1, 2, 4]),
        deform_groups=st.sampled_from([1, 2, 4]),
    )
)


def case(geometry, device='cpu', size=(7, 9)):
    """Random float64 tensors of a geometry, and the geometry as mmcv's positional arguments."""
    torch.manual_seed(0)
    sizes = zip(*(geometry[k] for k in ('kernel', 'stride', 'padding', 'dilation')), strict=True)
    out = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, (k, s, p, d) in zip(size, sizes)]  # noqa: B905
    kernel, groups, deform_groups = (geometry[k] for k in ('kernel', 'groups', 'deform_groups'))
    places = deform_groups * kernel[0] * kernel[1]
    shapes = dict(
        input=(2, 8, *size),
        offset=(2, 2 * places, *out),
        weight=(4, 8 // groups, *kernel),
        mask=(2, places, *out),
        bias=(4,),
        grad=(2, 4, *out),
    )
    tensors = {name: torch.randn(s, dtype=torch.float64) for name, s in shapes.items()}
    tensors['offset'] *= 2  # some samples leave the map
    tensors = {name: tensor.to(device).requires_grad_() for name, tensor in tensors.items()}
    keys = ('stride', 'padding', 'dilation', 'groups', 'deform_groups')
    return tensors, [geometry[key] for key in keys]


PLAIN = ('input', 'offset', 'weight')
MODULATED = ('input', 'offset', 'mask', 'weight', 'bias')


def values_and_gradients(function, tensors, names):
    out = function(*(tensors[name] for name in names))
    return [out, *torch.autograd.grad(out, [tensors[name] for name in names], tensors['grad'])]


def plain_reference(*geometry):
    return lambda input, offset, weight: reference(input, offset, weight, *geometry)


def modulated_reference(*geometry):
    def function(input, offset, mask, weight, bias):
        return reference(input, offset, weight, *geometry, mask) + bias[:, None, None]

    return function


@given(geometries)
def test_values_and_gradients_equal_the_reference(geometry):
    from mmcv.ops import deform_conv2d

    tensors, arguments = case(geometry)
    ours = values_and_gradients(lambda *t: deform_conv2d(*t, *arguments), tensors, PLAIN)
    theirs = values_and_gradients(plain_reference(*arguments), tensors, PLAIN)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


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


SMALL = dict(
    kernel=(2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, deform_groups=2
)


def test_gradients_equal_finite_differences():
    from mmcv.ops import deform_conv2d

    tensors, arguments = case(SMALL, size=(4, 6))
    assert torch.autograd.gradcheck(
        lambda *t: deform_conv2d(*t, *arguments), [tensors[name] for name in PLAIN]
    )


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


def test_mask_scales_each_kernel_position():
    from mmcv.ops import modulated_deform_conv2d

    weight = torch.ones(1, 1, 1, 3)
    mask = torch.tensor([0.0, 0.5, 1.0])[None, :, None, None].expand(1, 3, 4, 2)
    out = modulated_deform_conv2d(RAMP[None, None], torch.zeros(1, 6, 4, 2), mask, weight)
    assert torch.equal(out[0, 0], 0.5 * RAMP[:, 1:3] + RAMP[:, 2:])


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


def test_a_mask_of_other_size_is_refused():
    from mmcv.ops import modulated_deform_conv2d

    input, weight, offset = (
        torch.zeros(1, 4, 5, 5),
        torch.zeros(4, 4, 3, 3),
        torch.zeros(1, 18, 3, 3),
    )
    with pytest.raises(RuntimeError, match='mask'):
        modulated_deform_conv2d(input, offset, torch.zeros(1, 9, 2, 3), weight)


def test_an_unknown_keyword_is_refused(ext):
    with pytest.raises(TypeError, match='stride'):
        ext.deform_conv_forward(*[torch.zeros(0)] * 6, stride=1)
