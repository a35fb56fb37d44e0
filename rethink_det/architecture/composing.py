"""Architectures out of others: what is missing, what a further cut leaves, widths alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rethink_det.architecture import weight_masks
from rethink_det.architecture.channel_indices import count_of, first_of
from rethink_det.architecture.cut import Cut
from rethink_det.architecture.network import HEAD
from rethink_det.errors import UserError

if TYPE_CHECKING:
    from rethink_det.architecture.pruned_architecture import PrunedArchitecture


def as_cut(architecture: 'PrunedArchitecture', head: bool | None = None) -> Cut:
    """What is missing, as surgery on the base; of the head, of the backbone, or of both."""

    def wanted(layer: str) -> bool:
        return head is None or layer.startswith(HEAD) == head

    return Cut(
        channels={
            layer: kept if architecture.coupled else first_of(kept)
            for layer, kept in architecture.channels.items()
            if wanted(layer)
        },
        selections={n: kept for n, kept in architecture.selections.items() if wanted(n)},
        blocks=() if head else architecture.removed_blocks,
        coupled=architecture.coupled,
    )


def after(architecture: 'PrunedArchitecture', cut: Cut) -> 'PrunedArchitecture':
    """The architecture after a further cut, which is said in terms of what it has now.

    Raises:
        UserError: Channels of a network with weight masks cannot be cut.
    """
    if architecture.masks and (cut.channels or cut.selections or cut.blocks):
        raise UserError('A network with weight masks cannot lose channels or blocks any more.')
    channels, selections = dict(architecture.channels), dict(architecture.selections)
    if cut.coupled and not architecture.coupled:  # where a count means the first channels
        channels = {name: first_of(kept) for name, kept in channels.items()}
    for layer, kept in cut.channels.items():
        before = channels.get(layer)
        if isinstance(before, int) or isinstance(kept, int):
            channels[layer] = count_of(kept)
        else:
            channels[layer] = _among(before, kept)
    for layer, kept in cut.selections.items():
        selections[layer] = _among(selections.get(layer), kept)
    gone = tuple(f'{block}.' for block in cut.blocks)
    order = list(architecture.widths)
    return replace(
        architecture,
        channels={
            n: channels[n] for n in sorted(channels, key=order.index) if not n.startswith(gone)
        },
        selections=selections,
        removed_blocks=(*architecture.removed_blocks, *cut.blocks),
        masks=weight_masks.describe(cut.masks) if cut.masks else architecture.masks,
        coupled=architecture.coupled or (cut.coupled and bool(cut.channels)),
        name='',
        source='',
    )


def _among(before: tuple[int, ...] | None, kept: Sequence[int]) -> tuple[int, ...]:
    """Which of the parent's channels the places ``kept`` among those left before are."""
    return tuple(kept) if before is None else tuple(before[place] for place in kept)


def without_indices(architecture: 'PrunedArchitecture') -> 'PrunedArchitecture':
    """The same widths without the indices: what training from scratch needs.

    Selections, removed blocks and masks stay: they are shape, too.
    """
    return replace(
        architecture, channels={layer: architecture.kept(layer) for layer in architecture.channels}
    )
