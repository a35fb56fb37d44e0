"""RoIAlign through mmcv.ops: cases computed by hand, torchvision, finite differences."""

import pytest
import torch
from torchvision import ops as torchvision_ops

from rethink_det.errors import UserError

pytestmark = pytest.mark.usefixtures('ext')

# f(y, x) = 4y + x: linear, so a bilinear sample inside the map is f itself.
RAMP = torch.arange(16.0).reshape(1, 1, 4, 4)


def align(features, roi, size, device='cpu', scale=1.0, sampling=0, aligned=True):
    """mmcv's roi_align of one roi (x1, y1, x2, y2) of image 0, as nested lists."""
    from mmcv.ops import roi_align

    rois = torch.tensor([[0.0, *roi]], device=device)
    pooled = roi_align(features.to(device), rois, size, scale, sampling, 'avg', aligned)
    return pooled[0, 0].cpu()


def close(actual, expected):
    return torch.allclose(actual, torch.tensor(expected, dtype=actual.dtype), atol=1e-6)


def test_aligned_by_hand(device):
    # Two bins a side, each of 2 x 2 cells whose centres are the samples: block means.
    assert close(align(RAMP, (0, 0, 4, 4), 2, device), [[2.5, 4.5], [10.5, 12.5]])
    # One bin, one sample at the roi's centre: (2, 2) is half a cell beyond cell 1's centre.
    assert close(align(RAMP, (1, 1, 3, 3), 1, device, sampling=1), [[7.5]])


def test_not_aligned_by_hand(device):
    # Samples at 0.5, 1.5 | 2.5, 3.5; beyond the last cell (3) its value goes on:
    # means 1 and (2.5 + 3) / 2 = 2.75 per axis, times 4 downwards.
    pooled = align(RAMP, (0, 0, 4, 4), 2, device, aligned=False)
    assert close(pooled, [[5.0, 6.75], [12.0, 13.75]])
    assert close(align(RAMP, (1, 1, 3, 3), 1, device, sampling=1, aligned=False), [[10.0]])


@pytest.mark.parametrize(
    ('sampling', 'expected'),
    # One cell is 1, the roi is the map, one bin. Samples per axis and their weights there:
    # 1: 1.5 -> 1/2. 2: 0.5, 2.5 -> 1/2, 0. 3: 1/6, 3/2, 17/6 -> 1/6, 1/2, 0.
    # 0: as many as there are cells, at 0, 1, 2, 3 -> one of four.
    [(1, 1 / 4), (2, 1 / 16), (3, 4 / 81), (0, 1 / 16)],
)
def test_sampling_ratio_by_hand(device, sampling, expected):
    features = torch.zeros(1, 1, 4, 4)
    features[0, 0, 1, 1] = 1
    assert close(align(features, (0, 0, 4, 4), 1, device, sampling=sampling), [[expected]])


@pytest.mark.parametrize('end', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('sampling', [0, 2])
def test_a_roi_that_is_nowhere_is_nan_and_leaves_the_others(end, sampling):
    from mmcv.ops import roi_align

    rois = torch.tensor([[0, 1, 1, end, 3], [0, 1, 1, 3, 3], [end, 0, 0, 2, 2]])
    features = RAMP.clone().requires_grad_()
    pooled = roi_align(features, rois, 2, 1.0, sampling)
    assert pooled[[0, 2]].isnan().all()
    assert torch.equal(pooled[1, 0], align(RAMP, (1, 1, 3, 3), 2, sampling=sampling))
    pooled[1].sum().backward()
    assert features.grad.isfinite().all() and features.grad.any()


def test_roi_without_area(device):
    # Not aligned: stretched to one cell, sample at (1.5, 1.5). Aligned: no sample, no value.
    assert close(align(RAMP, (1, 1, 1, 1), 1, device, aligned=False), [[7.5]])
    assert close(align(RAMP, (1, 1, 1, 1), 1, device), [[0.0]])


def test_roi_outside_the_map_is_zero(device):
    assert close(align(RAMP, (40, 40, 50, 50), 1, device), [[0.0]])


def test_spatial_scale(device):
    assert torch.equal(
        align(RAMP, (4, 8, 16, 16), 2, device, scale=0.25), align(RAMP, (1, 2, 4, 4), 2, device)
    )


def random_case(device, dtype=torch.float64):
    torch.manual_seed(0)
    features = torch.randn(2, 3, 7, 9, dtype=dtype, device=device)
    corner = torch.rand(5, 2, dtype=dtype, device=device) * 12
    size = torch.rand(5, 2, dtype=dtype, device=device) * 9
    image = torch.tensor([0, 1, 1, 0, 1], dtype=dtype, device=device)[:, None]
    return features.requires_grad_(), torch.cat((image, corner, corner + size), 1)


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling', [0, 2])
def test_values_and_gradients_equal_torchvision(device, aligned, sampling):
    from mmcv.ops import roi_align

    features, rois = random_case(device)
    ours = roi_align(features, rois, (3, 2), 0.5, sampling, 'avg', aligned)
    # torchvision writes its adaptive sampling as -1.
    theirs = torchvision_ops.roi_align(features, rois, (3, 2), 0.5, sampling or -1, aligned)
    assert torch.equal(ours, theirs)
    weights = torch.randn_like(ours)
    gradients = [torch.autograd.grad((y * weights).sum(), features)[0] for y in (ours, theirs)]
    torch.testing.assert_close(*gradients)
    assert gradients[0].abs().sum() > 0


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling', [0, 2])
def test_gradient_equals_finite_differences(aligned, sampling):
    from mmcv.ops import roi_align

    features, rois = random_case('cpu')
    assert torch.autograd.gradcheck(
        lambda x: roi_align(x, rois, (2, 2), 0.5, sampling, 'avg', aligned), features[:, :1]
    )


def test_backward_adds_to_what_is_there(ext):
    options = dict(
        aligned_height=1,
        aligned_width=1,
        spatial_scale=1.0,
        sampling_ratio=1,
        pool_mode=1,
        aligned=True,
    )
    empty, gradient = torch.zeros(0), torch.ones(1, 1, 4, 4)
    rois = torch.tensor([[0.0, 1, 1, 2, 2]])
    ext.roi_align_backward(torch.ones(1, 1, 1, 1), rois, empty, empty, gradient, **options)
    assert gradient[0, 0, 1, 1] == 2
    assert gradient.sum() == 17


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(device, dtype):
    from mmcv.ops import roi_align

    features, rois = random_case(device, torch.float32)
    features = features.detach().to(dtype).requires_grad_()
    rois = rois.to(dtype)
    pooled = roi_align(features, rois, 2, 0.5, 0, 'avg', True)
    exact = roi_align(features.float(), rois.float(), 2, 0.5, 0, 'avg', True)
    assert torch.equal(pooled, exact.to(dtype))
    pooled.sum().backward()
    assert features.grad.dtype == dtype
    assert features.grad.isfinite().all()


def test_no_rois(device):
    from mmcv.ops import roi_align

    features = torch.randn(2, 3, 4, 4, device=device, requires_grad=True)
    pooled = roi_align(features, torch.zeros(0, 5, device=device), 7)
    assert pooled.shape == (0, 3, 7, 7)
    pooled.sum().backward()
    assert features.grad.count_nonzero() == 0


def test_max_pooling_is_refused():
    from mmcv.ops import roi_align

    with pytest.raises(UserError, match="roi_align_forward with pool_mode='max'.*pool_mode='avg'"):
        roi_align(RAMP, torch.zeros(1, 5), 2, 1.0, 0, 'max')


def test_rois_have_five_columns(ext):
    out = torch.zeros(1, 1, 1, 1)
    with pytest.raises(RuntimeError):
        ext.roi_align_forward(
            RAMP,
            torch.zeros(1, 4),
            out,
            out,
            out,
            aligned_height=1,
            aligned_width=1,
            spatial_scale=1.0,
            sampling_ratio=0,
            pool_mode=1,
            aligned=True,
        )
