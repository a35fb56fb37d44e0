"""How much of what a pruner was asked for it reached, and what stood in the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.channel_group import ChannelGroup
from rethink_det.architecture.coupling import coupled_groups

SHORT = 0.5
"""Below this share of what was asked for, a pruner says so."""


@dataclass(frozen=True)
class Reach:
    """What of a backbone's convolution weights was to go, and went.

    Attributes:
        asked: Share of them, in [0, 1); None where the method is not told one.
        got: Share of them, masked ones included.
        whole: Why layers that were to lose channels lost none, by their names.
    """

    asked: float | None
    got: float
    whole: Mapping[str, str] = field(default_factory=dict)

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
            f'Asked for {self.asked:.1%} of the weights of the convolutions, {went}. '
            f'Left whole: {left or "none"}.'
        )


def convolution_weights(network: nn.Module) -> int:
    """How many weights the convolutions of a network's backbone have."""
    backbone = getattr(network, 'backbone', network)
    return sum(m.weight.numel() for m in backbone.modules() if isinstance(m, nn.Conv2d))


def asked_share(surgeon: Surgeon, ratios: Mapping[str, float]) -> float | None:
    """The share of all weights of convolutions that some ratios by layer ask for.

    Args:
        surgeon: Of the network before it is cut.
        ratios: By layer; empty where nothing is known.
    """
    sizes = {name: surgeon.layer(name).weight.numel() for name in surgeon.layers()}
    total = sum(sizes.values())
    wanted = sum(sizes[name] * ratio for name, ratio in ratios.items() if name in sizes)
    return wanted / total if ratios and total else None


def reach(
    before: int,
    network: nn.Module,
    cut: Cut,
    asked: float | None,
    ratios: Mapping[str, float],
    architecture: PrunedArchitecture,
) -> Reach:
    """Compare a network that was cut with what it was to be.

    Args:
        before: :func:`convolution_weights` before it was cut.
        network: Afterwards.
        cut: What was removed.
        asked: Of :func:`asked_share`.
        ratios: By layer, what was asked for.
        architecture: What the network was.
    """
    masked = sum(int((~mask.bool()).sum()) for mask in cut.masks.values())
    left = convolution_weights(network) - masked
    got = 1 - left / before if before else 0.0
    short = asked and got < SHORT * asked
    return Reach(asked, got, _obstacles(architecture, cut, ratios) if short else {})


def _obstacles(
    architecture: PrunedArchitecture, cut: Cut, ratios: Mapping[str, float]
) -> dict[str, str]:
    """Why each layer that was to lose channels lost none."""
    surgeon = Surgeon(architecture.skeleton(), architecture.input_shape, prefix='backbone.')
    if cut.coupled:
        groups = coupled_groups(surgeon)
        hindered = {name: g.obstacle for g in groups if g.obstacle for name in g.members}
        return {name: why for name, why in hindered.items() if ratios.get(name)}
    found: dict[str, str] = {}
    for layer, ratio in ratios.items():
        if ratio and layer not in cut.channels and layer not in found:
            group = surgeon.group(layer)
            why = _why(group)
            found |= {name: why for name in group.members if ratios.get(name)}
    return found


def _why(group: ChannelGroup) -> str:
    if group.obstacle:
        return group.obstacle
    if group.coupled:
        return 'added to one another (a residual stream), they can only lose the same channels'
    if group.run > 1:
        return f'a grouped convolution, whose channels only go in whole groups of {group.run}'
    return 'the method keeps all of it'
