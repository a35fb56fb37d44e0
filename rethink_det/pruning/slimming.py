"""Channels of small BatchNorm scale, over the whole network.

Paper: Learning Efficient Convolutional Networks through Network Slimming (Liu et al., arXiv
1708.06519), section 3: train with an L1 penalty on the BatchNorm scales
(:class:`~rethink_det.training.SparsityHook`), remove the channels of smallest scale by one
threshold for the whole network; in pre-activation and dense networks a channel selection
lets a layer read a part of a stream that stays whole.
Deviation: exactly ``int(N * ratio)`` scales go, of equal ones the later, and a layer keeps
``min_channels``. The code of arXiv 1810.05270 keeps what is strictly above the entry number
``int(N * ratio)``, so that at least one more goes, and all its equals, and may empty a layer:
``strictly_above=True``. There N counts all BatchNorm scales; here those of channels that can
be removed, which in the published networks is the same. A BatchNorm in front of a selection
keeps its full width, as published; its removed entries are not zeroed, since nothing reads
them.
Expected: on ImageNet, VGG-11 at 50 %, the numbers that arXiv 1810.05270 publishes with its code:
``vgg11_bn_slimming_50`` in ``configs/_base_/published.py``.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.input_selection import in_width, selectable
from rethink_det.architecture.network import module_name
from rethink_det.architecture.norm_roles import NormRole, norm_roles
from rethink_det.bounds import check_count
from rethink_det.errors import UserError
from rethink_det.pruning.coupled import COUPLED, FREE, GROUPS
from rethink_det.pruning.coupled_scales import CoupledScales
from rethink_det.pruning.pruner import Pruner
from rethink_det.pruning.ranking import check_ratio, largest, never_fewer, places
from rethink_det.pruning.ratios import SELECTS
from rethink_det.registry import PRUNERS


@PRUNERS.register_module()
class NetworkSlimmingPruner(Pruner):
    """Keep the channels of largest BatchNorm scale.

    Args:
        ratio: Share of the scales to remove, in [0, 1).
        heads: Whether BatchNorm1d in the head takes part, so that hidden units go, too (the
            ImageNet VGG-11).
        min_channels: Fewest channels a layer keeps; reached with a warning.
        strictly_above: The threshold of the code of arXiv 1810.05270, see above.
        groups: ``'free'``, as published; ``'coupled'``: all that is tied goes together, residual
            streams and depthwise convolutions too, see :mod:`.coupled_scales`.

    Raises:
        UserError: A ratio outside [0, 1), ``min_channels`` below 1, unknown groups, or ``heads``
            or ``strictly_above`` of coupled ones.
    """

    dial = 'ratio'

    def __init__(
        self,
        ratio: float,
        heads: bool = False,
        min_channels: int = 1,
        strictly_above: bool = False,
        groups: str = FREE,
    ) -> None:
        if groups not in GROUPS:
            raise UserError(
                f'NetworkSlimmingPruner: groups must be one of {GROUPS}, got {groups!r}.'
            )
        if groups == COUPLED and (heads or strictly_above):
            raise UserError(
                "NetworkSlimmingPruner: heads and strictly_above are for groups='free': coupled "
                'groups take in the head by themselves, and keep exactly the rest.'
            )
        self.groups = groups
        self.ratio = check_ratio('NetworkSlimmingPruner: ratio', ratio)
        self.min_channels = check_count('NetworkSlimmingPruner: min_channels', min_channels)
        self.heads, self.strictly_above = heads, strictly_above

    def beside_widths(self, architecture: PrunedArchitecture) -> str:
        """Inputs of layers, where a BatchNorm comes before them: pre-activation, dense blocks."""
        if self.groups == COUPLED:
            return ''
        surgeon = Surgeon(architecture.skeleton(), architecture.input_shape, prefix='backbone.')
        reads = any(role.reads for role in norm_roles(surgeon))
        return SELECTS if reads else ''

    def ratios_of(self, layers: Sequence[str]) -> dict[str, float]:
        """One for all: which layers lose more is found."""
        return dict.fromkeys(layers, self.ratio) if self.ratio else {}

    def check(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> None:
        """Refuse a network that has no BatchNorm whose channels can be removed."""
        if self.groups == COUPLED:
            self._coupled().check(surgeon, architecture)
        else:
            self._roles(surgeon)

    def trace(self, surgeon: Surgeon) -> None:
        """The same; of coupled groups every channel is followed."""
        _ = surgeon.trace if self.groups == COUPLED else surgeon.graph

    def _coupled(self) -> CoupledScales:
        return CoupledScales(self.ratio, self.min_channels)

    def _roles(self, surgeon: Surgeon) -> list[NormRole]:
        """The BatchNorms that take part; raises :class:`UserError` if none does."""
        roles = norm_roles(surgeon)
        if not self.heads:
            roles = [role for role in roles if not isinstance(role.module, nn.BatchNorm1d)]
        if not roles:
            raise UserError(
                'NetworkSlimmingPruner ranks channels by BatchNorm scales, and the network has no '
                'BatchNorm whose channels can be removed.'
            )
        return roles

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """Channels of the layers that BatchNorms follow, inputs of the layers that they feed.

        Raises:
            UserError: The network has no BatchNorm whose channels can be removed.
        """
        if self.groups == COUPLED:
            return self._coupled().find(surgeon, architecture, data)
        roles = self._roles(surgeon)
        scales = [role.module.weight.detach().abs() for role in roles]
        stays = largest(torch.cat(scales), self.ratio, self.strictly_above)
        channels, selections = {}, {}
        parts = stays.split([len(scale) for scale in scales])
        for role, scale, part in zip(roles, scales, parts, strict=True):
            kept = self._kept(role, scale, part)
            if len(kept) == len(scale):
                continue
            if role.makes:
                channels[role.makes] = kept
            for consumer in role.reads:
                selections[consumer] = _inputs(surgeon, consumer, kept, len(scale))
        return Cut(channels, selections)

    def _kept(self, role: NormRole, scale: Tensor, stays: Tensor) -> tuple[int, ...]:
        claim = f'The threshold would leave {role.name}'
        return places(never_fewer(stays, scale, self.min_channels, claim))


def _inputs(surgeon: Surgeon, consumer: str, kept: tuple[int, ...], width: int) -> tuple[int, ...]:
    """Inputs of a reading layer that come from the kept channels, flattened maps included."""
    layer = selectable(surgeon.model, module_name(consumer, surgeon.prefix))
    cells = in_width(layer) // width
    return tuple(channel * cells + cell for channel in kept for cell in range(cells))
