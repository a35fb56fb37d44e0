"""mmcv's masked convolution: a convolution at some places of a map alone.

Source: ``mmcv/ops/csrc/common/cuda/masked_conv2d_cuda_kernel.cuh``; detectors with guided anchors
(arXiv 1901.03278) call it as they predict. mmcv has no gradient of it.
"""

from torch import Tensor
from torch.nn import functional as F


def masked_im2col_forward(
    features: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    data_col: Tensor,
    *,
    kernel_h: int,
    kernel_w: int,
    pad_h: int,
    pad_w: int,
) -> None:
    """What a kernel of stride 1 reads at N places, into ``data_col``; 0 outside of the map.

    Args:
        features: (1, C, H, W).
        mask_h_idx: (N,) int64, rows of the output.
        mask_w_idx: (N,) int64, its columns.
        data_col: (C * kernel_h * kernel_w, N), overwritten.
        kernel_h: cells of the kernel, downwards.
        kernel_w: to the right.
        pad_h: cells of zeros above and below the map.
        pad_w: on its left and right.
    """
    padded = F.pad(features[0], (pad_w, pad_w, pad_h, pad_h))
    places = [
        padded[:, mask_h_idx + down, mask_w_idx + right]
        for down in range(kernel_h)
        for right in range(kernel_w)
    ]
    for number, values in enumerate(places):
        data_col[number :: len(places)] = values


def masked_col2im_forward(
    col: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    im: Tensor,
    *,
    height: int,
    width: int,
    channels: int,
) -> None:
    """Put N columns back to their places in ``im``, whose other values stay.

    Args:
        col: (channels, N).
        mask_h_idx: (N,) int64, rows.
        mask_w_idx: (N,) int64, columns.
        im: (1, channels, height, width), written into.
        height: of ``im``.
        width: of ``im``.
        channels: of ``im``.
    """
    im.view(-1, channels, height, width)[0, :, mask_h_idx, mask_w_idx] = col
