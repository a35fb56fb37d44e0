"""Network slimming of coupled groups: what is tied is ranked by its BatchNorm scales together.

Paper: Learning Efficient Convolutional Networks through Network Slimming (Liu et al., arXiv
1708.06519), section 3, and DepGraph (arXiv 2301.12900), section 3.3: the scales of all channels
that go together are added up, and divided by their mean over the group before groups are ranked.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.coupled_group import CoupledGroup
from rethink_det.architecture.grouped_scores import scores_of_sets, tied_sides
from rethink_det.architecture.network import Layer
from rethink_det.errors import UserError
from rethink_det.pruning.coupled import COUPLED, GLOBAL, Asked, Scores
from rethink_det.pruning.layerwise import LayerwisePruner


class CoupledScales(LayerwisePruner):
    """Keep the units of coupled groups whose BatchNorm scales are largest, over all groups.

    Groups without a BatchNorm stay whole: they have no scale.

    Args:
        ratio: Share of the units to remove, in [0, 1).
        min_channels: Fewest channels that a layer keeps.
    """

    def __init__(self, ratio: float, min_channels: int) -> None:
        super().__init__(ratio, min_channels=min_channels, groups=COUPLED, scope=GLOBAL)

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """The units of smallest scale, of all groups that have some.

        Raises:
            UserError: No group has any.
        """
        self._look(surgeon)
        self._of_sets = scores_of_sets(surgeon, _scales)
        return super().find(surgeon, architecture, data)

    def check(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> None:
        """Refuse a network without such groups."""
        self._look(surgeon)
        super().check(surgeon, architecture)

    def _look(self, surgeon: Surgeon) -> None:
        self._surgeon = surgeon
        normed = [sets for module, _, sets in tied_sides(surgeon) if _is_scaled(module)]
        self._normed = np.unique(np.concatenate([*normed, np.empty(0, np.int64)]))

    def _asked(
        self, groups: Sequence[CoupledGroup], architecture: PrunedArchitecture
    ) -> list[Asked]:
        asked = super()._asked(groups, architecture)
        scaled = [one for one in asked if self._is_scaled(one.group)]
        if not scaled:
            raise UserError(
                'NetworkSlimmingPruner ranks channels by BatchNorm scales, and the network has no '
                'BatchNorm whose channels can be removed.'
            )
        return scaled

    def _is_scaled(self, group: CoupledGroup) -> bool:
        sets = [self._surgeon.coupling.set_of(unit) for kind in group.kinds for unit in kind]
        return bool(np.isin(sets, self._normed).all())

    def unit_scores(self, group: CoupledGroup, surgeon: Surgeon) -> Scores:
        """The sum of the scales that go with a unit."""
        units = [unit for kind in group.kinds for unit in kind]
        scores = self._of_sets[[surgeon.coupling.set_of(unit) for unit in units]]
        return scores.float().cpu().split([len(kind) for kind in group.kinds])

    def score(self, layer: str, conv: Layer) -> Tensor:
        """The scales that go with each channel."""
        return self._of_sets[torch.from_numpy(self._surgeon.coupling.layers[layer])]


def _is_scaled(module: Any) -> bool:
    return isinstance(module, _BatchNorm) and module.affine


def _scales(module: Any, makes: bool) -> Tensor | None:
    return module.weight.detach().abs() if makes and _is_scaled(module) else None
