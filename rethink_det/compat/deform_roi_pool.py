"""mmcv's deformable RoI pooling on torchvision's RoIAlign, with mmcv's calling conventions.

Paper: Dai et al., arXiv 1703.06211, section 2.2. Source:
``mmcv/ops/csrc/common/cuda/deform_roi_pool_cuda_kernel.cuh``. A bin that has been moved is a
region of its own of which RoIAlign gives a single value. In float32 at least.

Shapes, the same everywhere: ``input`` (B, C, H, W); ``rois`` (K, 5) batch index, x1, y1, x2, y2 in
units of ``1 / spatial_scale`` cells; ``offset`` (K, 2, h, w), for every bin the shift to the right
and then that downwards, in ``gamma`` times the region's width and height, or empty for none;
``output`` (K, C, h, w).
"""

import torch
from torch import Tensor
from torchvision import ops  # noqa: F401  (registers torch.ops.torchvision)


def deform_roi_pool_forward(
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    output: Tensor,
    *,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    gamma: float,
) -> None:
    """The mean of bilinear samples in every bin, into ``output``.

    Args:
        input: see the module.
        rois: see the module.
        offset: see the module.
        output: overwritten.
        pooled_height: h.
        pooled_width: w.
        spatial_scale: cells of the map to a unit of the regions.
        sampling_ratio: samples per bin and direction; 0: as many as a bin has cells, rounded up.
        gamma: scale of the offsets.
    """
    size = pooled_height, pooled_width
    bins = _bins(input, rois, offset, size, spatial_scale, gamma)
    pooled = torch.ops.torchvision.roi_align(_precise(input), bins, 1, 1, 1, sampling_ratio, True)
    output.copy_(pooled.view(len(rois), *size, input.shape[1]).permute(0, 3, 1, 2))


def deform_roi_pool_backward(
    grad_output: Tensor,
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    *,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    gamma: float,
) -> None:
    """Gradients of `deform_roi_pool_forward`, added to what mmcv hands in as zeros.

    That in the offset is the derivative of the samples. mmcv's is another one for those less than
    a cell from the map's edge, where its kernel forgets that it has moved them.

    Args:
        grad_output: of the output's shape.
        input: see the module.
        rois: see the module.
        offset: see the module.
        grad_input: added to.
        grad_offset: added to, if there are offsets.
        pooled_height: h.
        pooled_width: w.
        spatial_scale: see `deform_roi_pool_forward`.
        sampling_ratio: see `deform_roi_pool_forward`.
        gamma: see `deform_roi_pool_forward`.
    """
    size = pooled_height, pooled_width
    bins = _bins(input, rois, offset, size, spatial_scale, gamma)
    grad = _precise(grad_output).permute(0, 2, 3, 1).reshape(len(bins), input.shape[1], 1, 1)
    grad_input.add_(
        torch.ops.torchvision._roi_align_backward(
            grad, bins, 1, 1, 1, *input.shape, sampling_ratio, True
        )
    )
    if not offset.numel():
        return
    sides = _precise(rois)[:, 3:] - _precise(rois)[:, 1:3]  # to the right, downwards
    factor = (gamma * spatial_scale * sides)[:, :, None, None]
    moved = _slopes(_precise(input), bins, grad.flatten(1), sampling_ratio)
    grad_offset.add_(moved.view(len(rois), *size, 2).permute(0, 3, 1, 2) * factor)


def _bins(
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    size: tuple[int, int],
    scale: float,
    gamma: float,
) -> Tensor:
    """(K * h * w, 5): every bin, moved, as a region in cells of the map, their centres at .5."""
    rois = rois.to(_precise(input).dtype)
    height, width = size
    corner, side = rois[:, 1:3] * scale, (rois[:, 3:] - rois[:, 1:3]) * scale
    part = side / side.new_tensor([width, height])
    down, right = torch.meshgrid(
        torch.arange(height, device=rois.device),
        torch.arange(width, device=rois.device),
        indexing='ij',
    )
    first = corner[:, None, None] + torch.stack((right, down), -1) * part[:, None, None]
    if offset.numel():
        moves = offset.to(rois.dtype).view(len(rois), 2, height, width).permute(0, 2, 3, 1)
        first = first + gamma * side[:, None, None] * moves
    last = first + part[:, None, None]
    image = rois[:, None, None, :1].expand(-1, height, width, 1)
    return torch.cat((image, first, last), -1).view(-1, 5)


_MOST = 2**24
"""Numbers that are looked at together, so that many regions take no more memory."""


def _slopes(input: Tensor, bins: Tensor, grad: Tensor, ratio: int) -> Tensor:
    """(N, 2): how the sum of all outputs, weighted, changes as each bin moves right and down.

    Args:
        input: (B, C, H, W).
        bins: (N, 5), as of `_bins`.
        grad: (N, C), the weights.
        ratio: samples per bin and direction, or 0.
    """
    _, channels, height, width = input.shape
    values, slopes = input.permute(0, 2, 3, 1).reshape(-1, channels), bins.new_zeros(len(bins), 2)
    sides = (bins[:, 3:] - bins[:, 1:3]).ceil().clamp(min=0).long()  # to the right, downwards
    counts = torch.full_like(sides, ratio) if ratio else sides
    for across, down in counts.unique(dim=0).tolist():
        alike = (counts == counts.new_tensor([across, down])).all(1).nonzero().flatten()
        if across and down:
            for part in alike.split(max(1, _MOST // (across * down * channels))):
                size = height, width
                slopes[part] = _slopes_of(values, size, bins[part], grad[part], (down, across))
    return slopes


def _slopes_of(
    values: Tensor, size: tuple[int, int], bins: Tensor, grad: Tensor, counts: tuple[int, int]
) -> Tensor:
    """As of `_slopes`, for bins of as many samples each; ``values`` are (B * H * W, C)."""
    (height, width), (down, across) = size, counts
    y, x = (
        _samples(bins[:, n] - 0.5, bins[:, n + 2] - bins[:, n], count)
        for n, count in ((2, down), (1, across))
    )
    (top, below, share_y, moves_y), (left, beside, share_x, moves_x) = (
        _cells(places, side) for places, side in ((y, height), (x, width))
    )
    # mmcv drops a sample outside of the map as a whole.
    inside_y = ((y >= -1) & (y <= height)).to(values.dtype)[:, :, None]
    inside_x = ((x >= -1) & (x <= width)).to(values.dtype)[:, None]
    first = bins[:, 0].long()[:, None, None] * (height * width)

    def weighted(row: Tensor, column: Tensor) -> Tensor:
        cells = first + (row * width)[:, :, None] + column[:, None]
        return torch.einsum('nyxc,nc->nyx', values[cells], grad)

    corners = [weighted(row, column) for row in (top, below) for column in (left, beside)]
    upper, lower = corners[1] - corners[0], corners[3] - corners[2]
    to_right = upper + (lower - upper) * share_y[:, :, None]
    near, far = corners[2] - corners[0], corners[3] - corners[1]
    downwards = near + (far - near) * share_x[:, None]
    inside = inside_y * inside_x
    return torch.stack(
        (
            (to_right * moves_x[:, None] * inside).mean((1, 2)),
            (downwards * moves_y[:, :, None] * inside).mean((1, 2)),
        ),
        -1,
    )


def _samples(start: Tensor, side: Tensor, count: int) -> Tensor:
    """(N, count): where a bin is sampled in one direction."""
    steps = torch.arange(count, device=start.device, dtype=start.dtype) + 0.5
    return start[:, None] + steps * side[:, None] / count


def _cells(places: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The cells before and after each place, its share of the second, and whether that changes."""
    held = places.clamp(0, side - 1)
    first = held.floor().long().clamp(max=side - 1)
    moves = (places > 0) & (places < side - 1)
    return first, (first + 1).clamp(max=side - 1), held - first, moves.to(places.dtype)


def _precise(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
