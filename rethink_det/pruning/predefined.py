"""Predefined pruners: the target says how many channels each layer keeps."""

from collections.abc import Hashable, Mapping, Sequence

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.bounds import check_count
from rethink_det.errors import UserError, shown
from rethink_det.pruning.pruner import Pruner
from rethink_det.pruning.ratios import (
    Ratios,
    beside_widths,
    by_pattern,
    matches,
    ratio_of,
    targets_from_architecture,
    targets_from_ratios,
)


class PredefinedPruner(Pruner):
    """Base of pruners whose target for each layer is known without any weights.

    Args:
        ratios: Share of channels to remove in [0, 1), one for all prunable layers or by
            layer name pattern. Prunable are the convolutions whose output is not tied to
            another convolution's by a residual addition.
        target: Instead of ratios: an architecture whose widths to take.
        skip: Name patterns of layers left whole.
        min_channels: Fewest channels a layer keeps.
        round_to: Of what a layer keeps a multiple, the next that is no fewer, or all: kernels of
            some devices work on 8 channels at once.

    Raises:
        UserError: Neither or both of ``ratios`` and ``target`` given, a ``skip`` that is no list
            of patterns, or ``min_channels`` or ``round_to`` below 1.
    """

    dial = 'ratios'
    selects = False
    """Whether the method lets layers select from their input, as a target may say."""

    def __init__(
        self,
        ratios: Ratios | None = None,
        target: str | Mapping | PrunedArchitecture | None = None,
        skip: str | Sequence[str] = (),
        min_channels: int = 1,
        round_to: int = 1,
    ) -> None:
        if (ratios is None) == (target is None):
            raise UserError(f'{type(self).__name__} needs either ratios or a target architecture.')
        self.ratios = {} if ratios is None else by_pattern(ratios)
        self.skip = _patterns(type(self).__name__, skip)
        self.min_channels = check_count(f'{type(self).__name__}: min_channels', min_channels)
        self.round_to = check_count(f'{type(self).__name__}: round_to', round_to)
        self.target = None if target is None else PrunedArchitecture.load(target)

    @property
    def widths_follow_from(self) -> Hashable:
        """What it was told, without what only says which channels stay."""
        target = None if self.target is None else self.target.shape().digest
        least = self.min_channels, self.round_to
        return self.goal, tuple(self.ratios.items()), tuple(self.skip), least, target

    def beside_widths(self, architecture: PrunedArchitecture) -> str:
        """What its target takes beside channels."""
        taken = {} if self.target is None else beside_widths(architecture, self.target)
        return next((words for words, wrong in taken.items() if wrong), '')

    def ratios_of(self, layers: Sequence[str]) -> dict[str, float]:
        """By pattern; none where a target says the widths."""
        asked = {n: ratio_of(n, self.ratios) for n in layers if not matches(n, self.skip)}
        return {name: ratio for name, ratio in asked.items() if ratio}

    def check(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> None:
        """Refuse patterns of layers that match no prunable one, and a target that does not fit."""
        self.targets(surgeon, architecture)

    def targets(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> dict[str, int]:
        """How many channels each layer keeps, for every layer that loses some."""
        if self.target is not None:
            return targets_from_architecture(architecture, self.target, self.selects)
        widths, multiples = self._prunable(surgeon)
        return targets_from_ratios(
            widths, self.ratios, self.skip, self.min_channels, multiples, self.round_to
        )

    def preview(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> Cut:
        """The first channels of every layer."""
        targets = self.targets(surgeon, architecture)
        return Cut(channels={layer: tuple(range(count)) for layer, count in targets.items()})

    def turned_layers(self, surgeon: Surgeon) -> list[str]:
        """Those that can lose channels, in the network's order."""
        return [layer for layer in self._prunable(surgeon)[0] if not matches(layer, self.skip)]

    @staticmethod
    def _prunable(surgeon: Surgeon) -> tuple[dict[str, int], dict[str, int]]:
        """The widths of layers that can lose channels, and of what their widths are multiples."""
        widths: dict[str, int] = {}
        multiples: dict[str, int] = {}
        tied: set[str] = set()
        for layer in surgeon.layers():
            if layer in tied:
                continue  # the group of a long residual stream is costly to find
            group = surgeon.group(layer)
            tied.update(group.members if group.coupled else ())
            if group.prunable:
                widths[layer], multiples[layer] = group.width, group.multiple
        return widths, multiples


def _patterns(who: str, skip: str | Sequence[str]) -> list[str]:
    patterns = [skip] if isinstance(skip, str) else skip
    listed = isinstance(patterns, (list, tuple))
    if not listed or not all(isinstance(pattern, str) for pattern in patterns):
        raise UserError(f'{who}: skip must be a list of layer name patterns, got {shown(skip)}.')
    return list(patterns)
