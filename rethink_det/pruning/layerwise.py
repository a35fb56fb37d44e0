"""Predefined pruners that give every channel a score."""

from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.network import Layer
from rethink_det.errors import UserError
from rethink_det.pruning.predefined import PredefinedPruner
from rethink_det.pruning.ranking import top


class LayerwisePruner(PredefinedPruner):
    """Base of pruners with a target for each layer. A method supplies :meth:`score` alone."""

    @abstractmethod
    def score(self, layer: str, conv: Layer) -> Tensor:
        """Importance of each output channel of a layer, shape ``(out_channels,)``.

        Args:
            layer: Its name.
            conv: The convolution, or a hidden linear layer of the head.
        """

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """The channels of largest score in every layer that loses some."""
        targets = self.targets(surgeon, architecture)
        return Cut(
            channels={
                layer: self.select(layer, surgeon.layer(layer), count)
                for layer, count in targets.items()
            }
        )

    def select(self, layer: str, conv: Layer, count: int) -> tuple[int, ...]:
        """The ``count`` channels of largest score.

        Raises:
            UserError: A score is not a finite number.
        """
        scores = self.score(layer, conv)
        if not torch.isfinite(scores).all():
            raise UserError(f'The scores of layer {layer} are not finite numbers.')
        return top(scores, count)
