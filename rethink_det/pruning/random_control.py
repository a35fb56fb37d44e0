"""Filters at random: the control of every comparison.

Paper: the random baseline of Pruning Filters for Efficient ConvNets (arXiv 1608.08710),
section 4.4.
Deviation: none.
"""

import hashlib

import torch
from torch import Tensor, nn

from rethink_det.pruning.base import Pruner
from rethink_det.registry import PRUNERS


@PRUNERS.register_module()
class RandomPruner(Pruner):
    """Keep filters drawn uniformly, whatever their weights.

    Args:
        seed: Seed of the draw; each layer draws from a stream of its own.
        **kwargs: As :class:`Pruner`.
    """

    def __init__(self, seed: int = 0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def score(self, layer: str, conv: nn.Conv2d) -> Tensor:
        """Uniform random numbers."""
        stream = hashlib.sha256(f'{self.seed}:{layer}'.encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(stream[:8], 'big') >> 1)
        return torch.rand(conv.out_channels, generator=generator)
