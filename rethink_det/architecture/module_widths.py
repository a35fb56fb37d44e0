"""What modules of torch say of their widths: set to those of their weights."""

from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd


def set_widths(module: nn.Module) -> None:
    """Set what a module of torch says of its widths to those of its weights, in place."""
    weight = getattr(module, 'weight', None)
    own = vars(module)
    if isinstance(module, _ConvNd):
        _set_convolution(module)
    elif isinstance(module, nn.Linear):
        own['out_features'], own['in_features'] = module.weight.shape
    elif isinstance(module, _NormBase):
        vector = weight if weight is not None else module.running_mean
        if isinstance(vector, Tensor):
            own['num_features'] = len(vector)
    elif isinstance(module, nn.GroupNorm) and isinstance(weight, Tensor):
        own['num_channels'] = len(weight)
    elif 'normalized_shape' in own and isinstance(weight, Tensor):
        own['normalized_shape'] = tuple(weight.shape)
    elif isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
        own['embed_dim'] = own['kdim'] = own['vdim'] = module.in_proj_weight.shape[1]
        own['head_dim'] = module.in_proj_weight.shape[0] // 3 // module.num_heads
    elif isinstance(module, nn.RNNBase):
        _set_recurrent(module)
    elif isinstance(module, nn.PReLU):
        own['num_parameters'] = len(module.weight)


def _set_convolution(module: Any) -> None:
    rows, columns = module.weight.shape[:2]
    own = vars(module)
    old_in, groups = module.in_channels, module.groups
    if groups > 1 and groups == old_in:
        multiplier = module.out_channels // groups
        groups = rows if module.transposed else rows // multiplier
    own['groups'] = groups
    own['out_channels'] = columns * groups if module.transposed else rows
    own['in_channels'] = rows if module.transposed else columns * groups


def _set_recurrent(module: Any) -> None:
    own = vars(module)
    own['input_size'] = module.weight_ih_l0.shape[1]
    own['hidden_size'] = module.weight_hh_l0.shape[1]
