"""Weights of smallest magnitude, over the whole network.

Paper: Learning both Weights and Connections for Efficient Neural Networks (Han et al.,
arXiv 1506.02626), section 3: remove connections below a threshold, train on, repeat. As in
arXiv 1810.05270, section 4.3, one threshold ranks the weights of all convolutions together;
biases, BatchNorm and linear layers are left alone.
Deviation: exactly ``int(N * ratio)`` weights go, of equal ones the later. The code of arXiv
1810.05270 keeps what is strictly above the entry number ``int(N * ratio)``, so that at least
one more goes, and all its equals: ``strictly_above=True``. A layer keeps ``min_weights``
(there it may become empty).
Expected: on ImageNet, VGG-16 and ResNet-50 at 30 and 60 %, the numbers that arXiv 1810.05270
publishes with its code: ``*_magnitude_*`` in ``configs/_base_/published.py``.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.bounds import check_count
from rethink_det.errors import UserError
from rethink_det.pruning.pruner import Pruner
from rethink_det.pruning.ranking import check_ratio, largest, never_fewer
from rethink_det.registry import PRUNERS


@PRUNERS.register_module()
class MagnitudePruner(Pruner):
    """Keep the weights of largest magnitude, whatever their layer.

    The shapes stay; the result is a mask for each convolution. Of a network that has masks
    already (it was pruned before: the iterative form) the ratio counts the weights that are
    left, and removed ones stay removed.

    Args:
        ratio: Share of the convolutions' weights to remove, in [0, 1).
        min_weights: Fewest weights a layer keeps; reached with a warning.
        strictly_above: The threshold of the code of arXiv 1810.05270, see above.

    Raises:
        UserError: A ratio outside [0, 1), or ``min_weights`` below 0.
    """

    dial = 'ratio'
    shrinks = False

    def __init__(self, ratio: float, min_weights: int = 1, strictly_above: bool = False) -> None:
        self.ratio = check_ratio('MagnitudePruner: ratio', ratio)
        self.min_weights = check_count('MagnitudePruner: min_weights', min_weights, least=0)
        self.strictly_above = strictly_above

    def beside_widths(self, architecture: PrunedArchitecture) -> str:
        """Single weights, under masks: no channel goes."""
        return 'masks weights'

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """One mask for each convolution."""
        weights = {
            f'{name}.weight': module.weight.detach()
            for name, module in surgeon.model.named_modules()
            if isinstance(module, nn.Conv2d) and surgeon.owns(module)
        }
        if not weights:
            raise UserError('MagnitudePruner: the network has no convolution.')
        masked = set(architecture.masks.get('kept', ()))
        return Cut(masks=self.masks(weights, masked))

    def masks(self, weights: Mapping[str, Tensor], masked: Iterable[str] = ()) -> dict[str, Tensor]:
        """Bool masks of the given weights, True where kept.

        Args:
            weights: By parameter name.
            masked: Names of weights that have a mask already: what is zero there is gone.
        """
        there = {
            name: (weight != 0) if name in masked else torch.ones_like(weight, dtype=torch.bool)
            for name, weight in weights.items()
        }
        magnitudes = torch.cat([weights[name][mask].abs() for name, mask in there.items()])
        kept = largest(magnitudes, self.ratio, self.strictly_above)
        masks, place = {}, 0
        for name, mask in there.items():
            count = int(mask.sum())
            left = mask.clone()
            left[mask] = kept[place : place + count]
            masks[name] = self._not_empty(name, weights[name], left)
            place += count
        return masks

    def _not_empty(self, name: str, weight: Tensor, mask: Tensor) -> Tensor:
        claim, magnitudes = f'The threshold would leave {name}', weight.abs().flatten()
        left = never_fewer(mask.flatten(), magnitudes, self.min_weights, claim, 'weights')
        return left.view_as(mask)
