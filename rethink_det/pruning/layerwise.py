"""Predefined pruners: the target says how many channels each layer keeps."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.errors import UserError
from rethink_det.pruning.pruner import Pruner
from rethink_det.pruning.ranking import top
from rethink_det.pruning.ratios import (
    Ratios,
    by_pattern,
    targets_from_architecture,
    targets_from_ratios,
)


class LayerwisePruner(Pruner):
    """Base of pruners with a target for each layer. A method supplies :meth:`score` alone.

    Args:
        ratios: Share of channels to remove in [0, 1), one for all prunable layers or by
            layer name pattern. Prunable are the convolutions whose output is not tied to
            another convolution's by a residual addition.
        target: Instead of ratios: an architecture whose widths to take.
        skip: Name patterns of layers left whole.
        min_channels: Fewest channels a layer keeps.

    Raises:
        UserError: Neither or both of ``ratios`` and ``target`` given.
    """

    selects = False
    """Whether the method lets layers select from their input, as a target may say."""

    def __init__(
        self,
        ratios: Ratios | None = None,
        target: str | Mapping | PrunedArchitecture | None = None,
        skip: Sequence[str] = (),
        min_channels: int = 1,
    ) -> None:
        if (ratios is None) == (target is None):
            raise UserError(f'{type(self).__name__} needs either ratios or a target architecture.')
        self.ratios = None if ratios is None else by_pattern(ratios)
        self.skip, self.min_channels = [skip] if isinstance(skip, str) else skip, min_channels
        self.target = None if target is None else PrunedArchitecture.load(target)

    @abstractmethod
    def score(self, layer: str, conv: nn.Conv2d) -> Tensor:
        """Importance of each output channel of ``conv``, shape ``(out_channels,)``."""

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

    def targets(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> dict[str, int]:
        """How many channels each layer keeps, for every layer that loses some."""
        if self.target is not None:
            return targets_from_architecture(architecture, self.target, self.selects)
        widths, tied = {}, set()
        for layer in surgeon.layers():
            if layer in tied:
                continue  # the group of a long residual stream is costly to find
            group = surgeon.group(layer)
            tied.update(group.members if group.coupled else ())
            if group.prunable:
                widths[layer] = group.width
        return targets_from_ratios(widths, self.ratios, self.skip, self.min_channels)

    def select(self, layer: str, conv: nn.Conv2d, count: int) -> tuple[int, ...]:
        """The ``count`` channels of largest score.

        Raises:
            UserError: A score is not a finite number.
        """
        scores = self.score(layer, conv)
        if not torch.isfinite(scores).all():
            raise UserError(f'The scores of layer {layer} are not finite numbers.')
        return top(scores, count)
