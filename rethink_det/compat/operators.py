"""What ``mmcv._ext`` holds where mmcv came without its own: mmcv's operators on torchvision's.

Loaded as ``mmcv._ext`` by `rethink_det.compat.finder`; call them through ``mmcv.ops``. Names,
arguments and results are those of mmcv 2.1.0 and onedl-mmcv 2.3.6, which agree.
"""

from rethink_det.compat.deform_conv import (
    deform_conv_backward_input,
    deform_conv_backward_parameters,
    deform_conv_forward,
)
from rethink_det.compat.focal_loss import sigmoid_focal_loss_backward, sigmoid_focal_loss_forward
from rethink_det.compat.modulated_deform_conv import (
    modulated_deform_conv_backward,
    modulated_deform_conv_forward,
)
from rethink_det.compat.roi_align import roi_align_backward, roi_align_forward
from rethink_det.compat.suppression import nms, softnms

__all__ = [
    'deform_conv_backward_input',
    'deform_conv_backward_parameters',
    'deform_conv_forward',
    'get_compiler_version',
    'get_compiling_cuda_version',
    'modulated_deform_conv_backward',
    'modulated_deform_conv_forward',
    'nms',
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
