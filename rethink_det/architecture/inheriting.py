"""Inherited weights: a parent's, cut to an architecture."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from rethink_det.architecture import weight_masks
from rethink_det.architecture.composing import as_cut
from rethink_det.architecture.network import BACKBONE
from rethink_det.architecture.surgery import Surgeon
from rethink_det.errors import UserError

if TYPE_CHECKING:
    from rethink_det.architecture.pruned_architecture import PrunedArchitecture


def inherit(
    architecture: 'PrunedArchitecture',
    parent_state: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """The weights of a parent, cut to an architecture.

    Args:
        architecture: What the heir is.
        parent_state: State dict of the unpruned network, names ``backbone.*`` and ``head.*``.
        masks: The weight masks of an unstructured architecture, else none.

    Raises:
        UserError: The state dict does not fit the base network (names the first layer that
            differs), the architecture says how many channels it keeps but not which, or the
            masks are missing or not its own.
    """
    counted = [layer for layer, kept in architecture.channels.items() if isinstance(kept, int)]
    if counted:
        raise UserError(
            f'{architecture.name or "The architecture"} says how many channels {counted[0]} '
            'keeps, not which: prune the parent to this target to choose them.'
        )
    check_masks(architecture, masks)
    network = architecture.base.network_with(parent_state)
    cut = replace(as_cut(architecture), masks=masks)
    cut.apply(Surgeon(network, architecture.input_shape, BACKBONE))
    return {name: tensor.detach() for name, tensor in network.state_dict().items()}


def check_masks(architecture: 'PrunedArchitecture', masks: Mapping[str, Tensor]) -> None:
    """Refuse weight masks that are not the architecture's.

    Raises:
        UserError: The architecture is masked otherwise, or not at all.
    """
    wants, has = architecture.masks.get('digest'), weight_masks.digest(masks) if masks else None
    if wants != has:
        raise UserError(
            f'The architecture has the weight masks {wants or "none"}, got {has or "none"}: '
            'they are in the checkpoint that pruning wrote.'
        )
