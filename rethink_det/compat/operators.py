"""What ``mmcv._ext`` holds where mmcv came without its own: mmcv's operators on torchvision's.

Loaded as ``mmcv._ext`` by `rethink_det.compat.finder`; call them through ``mmcv.ops``. Names,
arguments and results are those of mmcv 2.1.0 and onedl-mmcv 2.3.6, which agree.
"""

from rethink_det.compat.carafe import (
    carafe_backward,
    carafe_forward,
    carafe_naive_backward,
    carafe_naive_forward,
)
from rethink_det.compat.deform_conv import (
    deform_conv_backward_input,
    deform_conv_backward_parameters,
    deform_conv_forward,
)
from rethink_det.compat.deform_roi_pool import deform_roi_pool_backward, deform_roi_pool_forward
from rethink_det.compat.deformable_attention import ms_deform_attn_backward, ms_deform_attn_forward
from rethink_det.compat.focal_loss import sigmoid_focal_loss_backward, sigmoid_focal_loss_forward
from rethink_det.compat.masked_conv import masked_col2im_forward, masked_im2col_forward
from rethink_det.compat.modulated_deform_conv import (
    modulated_deform_conv_backward,
    modulated_deform_conv_forward,
)
from rethink_det.compat.nms_match import nms_match
from rethink_det.compat.roi_align import roi_align_backward, roi_align_forward
from rethink_det.compat.suppression import nms, softnms

__all__ = [
    'carafe_backward',
    'carafe_forward',
    'carafe_naive_backward',
    'carafe_naive_forward',
    'deform_conv_backward_input',
    'deform_conv_backward_parameters',
    'deform_conv_forward',
    'deform_roi_pool_backward',
    'deform_roi_pool_forward',
    'get_compiler_version',
    'get_compiling_cuda_version',
    'masked_col2im_forward',
    'masked_im2col_forward',
    'modulated_deform_conv_backward',
    'modulated_deform_conv_forward',
    'ms_deform_attn_backward',
    'ms_deform_attn_forward',
    'nms',
    'nms_match',
    'roi_align_backward',
    'roi_align_forward',
    'sigmoid_focal_loss_backward',
    'sigmoid_focal_loss_forward',
    'softnms',
]


def get_compiler_version() -> str:
    """``'n/a'``, what ``mmcv.utils.collect_env`` prints when nothing was compiled."""
    return 'n/a'


def get_compiling_cuda_version() -> str:
    """``'n/a'``, see `get_compiler_version`."""
    return 'n/a'
