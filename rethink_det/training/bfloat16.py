"""Mixed precision without a loss scale, on CPUs as well as on GPUs."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from rethink_det.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Compute convolutions and linear layers of a training step in bfloat16.

    Weights, their updates and evaluation stay in float32. MMEngine's ``AmpOptimWrapper`` does
    this on GPUs alone, and scales the loss, which only float16 needs: bfloat16 has the range of
    float32. Worth while on GPUs and on CPUs that multiply in bfloat16 (``avx512_bf16`` or
    ``amx_bf16`` in ``/proc/cpuinfo``); any other CPU becomes slower.

    Source: A Study of BFLOAT16 for Deep Learning Training (arXiv 1905.12322).

    Args:
        **settings: Of MMEngine's ``OptimWrapper``: ``optimizer``, ``clip_grad``,
            ``accumulative_counts``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Around the forward pass of a step."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
