"""mmcv's sigmoid focal loss in plain torch, with mmcv's calling conventions.

Paper: Lin et al., "Focal Loss for Dense Object Detection", arXiv 1708.02002, section 3 and
appendix B. Source: ``mmcv/ops/csrc/common/cuda/sigmoid_focal_loss_cuda_kernel.cuh``; compiled
mmcv has it on CUDA only. Computed in float32 at least. Logarithms are exact where mmcv's stop
at that of the smallest float32, logits beyond about 87.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, *, gamma: float, alpha: float
) -> None:
    """``-alpha_t (1 - p_t)^gamma log(p_t)`` (equation 5) of every logit, into ``output``.

    Args:
        input: (N, C) logits.
        target: (N,) int64, the class of each row; any number outside 0..C-1 is background.
        weight: (C,) factor of the rows of each class, or empty for none. Background has factor
            1 (compiled mmcv reads beyond the tensor's end there).
        output: (N, C), overwritten.
        gamma: focusing parameter.
        alpha: weight of the target class; all others have ``1 - alpha``.
    """
    terms = _terms(input, target, weight, alpha)
    output.copy_(-terms.alpha * terms.miss**gamma * terms.log_hit)


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, *, gamma: float, alpha: float
) -> None:
    """Gradient of `sigmoid_focal_loss_forward` in ``input`` (appendix B), into ``grad_input``.

    Args:
        grad_input: (N, C), overwritten.
        input, target, weight, gamma, alpha: see `sigmoid_focal_loss_forward`.
    """
    terms = _terms(input, target, weight, alpha)
    slope = gamma * (1 - terms.miss) * terms.log_hit - terms.miss
    grad_input.copy_(terms.sign * terms.alpha * terms.miss**gamma * slope)


class _Terms(NamedTuple):
    """The paper's quantities, of shape (N, C)."""

    sign: Tensor
    """y: 1 for the target class, -1 for the others."""
    alpha: Tensor
    """alpha_t, times the factor of the row's class."""
    miss: Tensor
    """1 - p_t."""
    log_hit: Tensor
    """log(p_t)."""


def _terms(input: Tensor, target: Tensor, weight: Tensor, alpha: float) -> _Terms:
    logits = input.to(torch.promote_types(input.dtype, torch.float32))
    is_target = target[:, None] == torch.arange(input.shape[1], device=input.device)
    sign = is_target.to(logits.dtype) * 2 - 1
    alpha_t = torch.where(is_target, alpha, 1 - alpha).to(logits.dtype)
    if weight.numel():
        known = (target >= 0) & (target < len(weight))
        factor = torch.where(known, weight.to(logits.dtype)[target.where(known, 0)], 1)
        alpha_t = alpha_t * factor[:, None]
    x_t = sign * logits  # p_t = sigmoid(x_t), appendix A
    return _Terms(sign, alpha_t, torch.sigmoid(-x_t), F.logsigmoid(x_t))
