"""Filters of smallest L1 norm.

Paper: Pruning Filters for Efficient ConvNets (Li et al., arXiv 1608.08710), section 3.1:
rank the filters of a layer by the sum of their absolute weights, once, and remove the
smallest; in a residual block only the first convolution (section 3.3).
Deviation: none. The authors leave ties open; here the first of equal filters stays.
Expected: the widths of ``resnet56-a``, ``resnet56-b``, ``resnet34-a``, ``resnet34-b``.
"""

from torch import Tensor

from rethink_det.architecture.network import Layer
from rethink_det.pruning.layerwise import LayerwisePruner
from rethink_det.registry import PRUNERS


@PRUNERS.register_module()
class L1NormPruner(LayerwisePruner):
    """Keep the filters with the largest sum of absolute weights."""

    def score(self, layer: str, conv: Layer) -> Tensor:
        """Sum of absolute weights of each filter."""
        return conv.weight.detach().abs().flatten(1).sum(1)
