"""Coupled groups of smallest L2 norm.

Paper: DepGraph: Towards Any Structural Pruning (Fang et al., arXiv 2301.12900), section 3.3:
what must go together is scored together, by the squares of all weights that would go: the
filters that make a channel, the columns that read it, its norms' scales; the score is divided by
its mean over the group.
Deviation: what is counted is what Torch-Pruning's ``GroupMagnitudeImportance(p=2)`` counts,
which is no depthwise filter.
The paper draws groups to zero while the network trains (equation 4); that is
:class:`~rethink_det.training.GroupSparsityHook`, and left to the training's config.
Expected: the paper's ResNet-56 on CIFAR-10 (93.53 %): 93.46 at 2.11 times fewer multiply-adds,
93.77 at 2.13 times after training with the penalty, 93.64 at 2.57 times. At ``ratios=0.5`` the
multiply-adds of Torch-Pruning's own pruner of that importance, 0.26 of ResNet-50's, and where its
groups are the same the same channels.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor

from rethink_det.architecture import Surgeon
from rethink_det.architecture.coupled_group import CoupledGroup
from rethink_det.architecture.grouped_scores import scores_of_sets, squares
from rethink_det.architecture.network import Layer
from rethink_det.errors import UserError
from rethink_det.pruning.coupled import COUPLED, Scores
from rethink_det.pruning.layerwise import LayerwisePruner
from rethink_det.registry import PRUNERS


@PRUNERS.register_module()
class GroupNormPruner(LayerwisePruner):
    """Keep the units of coupled groups whose weights have the largest sum of squares.

    Args:
        **kwargs: As :class:`LayerwisePruner`; ``groups`` is ``'coupled'``.

    Raises:
        UserError: Free groups, which have no norm of their own.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{'groups': COUPLED, **kwargs})
        if self.groups != COUPLED:
            raise UserError("GroupNormPruner scores coupled groups: leave groups='coupled'.")

    def looking(self, surgeon: Surgeon, data: Iterable | None) -> AbstractContextManager:
        """A context in which all weights that go together are added up."""
        self._of_sets = scores_of_sets(surgeon, squares)
        return nullcontext()

    def unit_scores(self, group: CoupledGroup, surgeon: Surgeon) -> Scores:
        """The sum over all weights that go with a unit, relative to the group's mean."""
        units = [unit for kind in group.kinds for unit in kind]
        scores = self._of_sets[[surgeon.coupling.set_of(unit) for unit in units]]
        return (scores / scores.mean()).float().cpu().split([len(kind) for kind in group.kinds])

    def score(self, layer: str, conv: Layer) -> Tensor:
        """The sum of squares of each filter alone."""
        return conv.weight.detach().square().flatten(1).sum(1)
