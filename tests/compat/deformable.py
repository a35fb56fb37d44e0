"""Deformable convolutions by bilinear sampling, and random cases of them."""

import torch
from hypothesis import strategies as st
from torch.nn import functional as F

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


SMALL = dict(
    kernel=(2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, deform_groups=2
)
