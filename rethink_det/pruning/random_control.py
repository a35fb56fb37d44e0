"""Filters at random: the control of every comparison.

Paper: the random baseline of Pruning Filters for Efficient ConvNets (arXiv 1608.08710),
section 4.4.
Deviation: none.
Expected: no number of its own; the same widths as what it is the control of.
"""

import hashlib
from typing import Any

import torch
from torch import Tensor

from rethink_det.architecture.network import Layer
from rethink_det.bounds import check_count
from rethink_det.pruning.layerwise import LayerwisePruner
from rethink_det.registry import PRUNERS


@PRUNERS.register_module()
class RandomPruner(LayerwisePruner):
    """Keep filters drawn uniformly, whatever their weights.

    Args:
        seed: Seed of the draw; each layer draws from a stream of its own.
        **kwargs: As :class:`LayerwisePruner`.

    Raises:
        UserError: The seed is no whole number, or negative.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = check_count('RandomPruner: seed', seed, least=0)

    def score(self, layer: str, conv: Layer) -> Tensor:
        """Uniform random numbers."""
        stream = hashlib.sha256(f'{self.seed}:{layer}'.encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(stream[:8], 'big') >> 1)
        return torch.rand(len(conv.weight), generator=generator)
