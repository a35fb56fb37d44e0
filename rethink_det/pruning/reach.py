"""How much of what a pruner was asked for it reached, and what stood in the way."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from torch import nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.channel_group import ChannelGroup
from rethink_det.architecture.network import named_layers

SHORT = 0.5
"""Below this share of what was asked for, a pruner says so."""


@dataclass(frozen=True)
class Reach:
    """What of the weights of a backbone's layers was to go, and went.

    Attributes:
        asked: Share of them, in [0, 1); None where the method is not told one.
        got: Share of them, masked ones included.
        whole: Why layers that were to lose channels lost none, by their names.
        kind: What the weights are of: 'convolutions', or all 'layers'.
    """

    asked: float | None
    got: float
    whole: Mapping[str, str] = field(default_factory=dict)
    kind: str = 'convolutions'

    @property
    def note(self) -> str | None:
        """What is to be said: that nothing went, or much less than asked; None otherwise."""
        if self.got == 0 and not self.asked:
            return 'Nothing is removed: every ratio is 0, every layer skipped, or none is small.'
        if not self.asked or self.got >= SHORT * self.asked:
            return None
        went = f'{self.got:.1%} went' if self.got else 'nothing went'
        reasons: dict[str, list[str]] = {}
        for layer, reason in self.whole.items():
            reasons.setdefault(reason, []).append(layer)
        left = '; '.join(f'{", ".join(layers)}: {reason}' for reason, layers in reasons.items())
        return (
            f'Asked for {self.asked:.1%} of the weights of the {self.kind}, {went}. '
            f'Left whole: {left or "none"}.'
        )


def layer_weights(network: nn.Module) -> dict[str, int]:
    """How many weights each layer of a network's backbone has."""
    backbone = getattr(network, 'backbone', network)
    return {name: layer.weight.numel() for name, layer in named_layers(backbone)}


@dataclass(frozen=True)
class Wish:
    """What a pruner was to do to a network, noted before.

    Attributes:
        sizes: How many weights each layer of the backbone has.
        convolutions: The names of the convolutions, all that methods of free groups cut.
        ratios: By layer, what share of its channels was asked for; empty where nothing is known.
    """

    sizes: Mapping[str, int]
    convolutions: Collection[str]
    ratios: Mapping[str, float]

    def layers(self, coupled: bool) -> list[str]:
        """The layers that channels can go from."""
        return [name for name in self.sizes if coupled or name in self.convolutions]

    def share(self, coupled: bool) -> float | None:
        """The share of all weights that the ratios by layer ask for; ``None`` without any."""
        names = self.layers(coupled)
        total = sum(self.sizes[name] for name in names)
        wanted = sum(self.sizes[name] * self.ratios.get(name, 0) for name in names)
        return wanted / total if self.ratios and total else None


def reach(wish: Wish, network: nn.Module, cut: Cut, architecture: PrunedArchitecture) -> Reach:
    """Compare a network that was cut with what it was to be.

    Args:
        wish: What was asked for.
        network: Afterwards.
        cut: What was removed.
        architecture: What the network was.
    """
    masked = sum(int((~mask.bool()).sum()) for mask in cut.masks.values())
    names, sizes = wish.layers(cut.coupled), layer_weights(network)
    before = sum(wish.sizes[name] for name in names)
    left = sum(sizes.get(name, 0) for name in names) - masked
    got, asked = 1 - left / before if before else 0.0, wish.share(cut.coupled)
    short = asked and got < SHORT * asked
    ratios = {name: wish.ratios[name] for name in names if name in wish.ratios}
    whole = _obstacles(architecture, cut, ratios) if short else {}
    return Reach(asked, got, whole, 'layers' if cut.coupled else 'convolutions')


def _obstacles(
    architecture: PrunedArchitecture, cut: Cut, ratios: Mapping[str, float]
) -> dict[str, str]:
    """Why each layer that was to lose channels lost none."""
    surgeon = Surgeon(architecture.skeleton(), architecture.input_shape, prefix='backbone.')
    if cut.coupled:
        groups = surgeon.coupling.groups
        hindered = {name: g.obstacle for g in groups if g.obstacle for name in g.members}
        return {name: why for name, why in hindered.items() if ratios.get(name)}
    found: dict[str, str] = {}
    for layer, ratio in ratios.items():
        if ratio and layer not in cut.channels and layer not in found:
            group = surgeon.group(layer)
            why = _why(group) or 'the method keeps all of it'
            found |= {name: why for name in group.members if ratios.get(name)}
    return found


def why_whole(surgeon: Surgeon, layer: str) -> str:
    """Why no channel of a layer can go by itself; empty if some can."""
    return _why(surgeon.group(layer))


def _why(group: ChannelGroup) -> str:
    if group.obstacle:
        return group.obstacle
    if group.coupled:
        return 'added to one another (a residual stream), they can only lose the same channels'
    if group.run > 1:
        return f'a grouped convolution, whose channels only go in whole groups of {group.run}'
    return ''
