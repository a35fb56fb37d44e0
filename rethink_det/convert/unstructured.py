"""Weight masks of unstructured pruning: as torch saves them, or the zeros themselves."""

import os
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from rethink_det.architecture.weight_masks import WeightMasks
from rethink_det.bounds import check_number
from rethink_det.defaults import ZEROS
from rethink_det.errors import UserError

ORIGINAL, MASK = '_orig', '_mask'


def fold_masks(
    tensors: Mapping[str, Tensor], where: str | os.PathLike
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Multiply the masks of ``torch.nn.utils.prune`` into what they mask.

    It saves a pruned ``weight`` as ``weight_orig`` and ``weight_mask``.

    Returns:
        The plain tensors, and the masks of weights by their name (True = kept); masks of
        biases are folded only.

    Raises:
        UserError: One of the pair is missing or of another shape.
    """
    plain = {n: t for n, t in tensors.items() if not n.endswith((ORIGINAL, MASK))}
    halves = [n for n in tensors if n.endswith((ORIGINAL, MASK))]
    masks = {}
    for name in dict.fromkeys(n.removesuffix(ORIGINAL).removesuffix(MASK) for n in halves):
        weight, mask = tensors.get(name + ORIGINAL), tensors.get(name + MASK)
        if weight is None or mask is None or weight.shape != mask.shape:
            raise UserError(
                f'{where}: {name} is pruned by torch.nn.utils.prune, which needs {name}{ORIGINAL} '
                f'and {name}{MASK} of one shape.'
            )
        plain[name] = weight * mask
        if name.endswith('.weight'):
            masks[name] = mask != 0
    return plain, masks


def share_of_zeros(network: nn.Module) -> dict[str, float]:
    """How much of each convolution's and linear layer's weight is exactly 0, by its name."""
    layers = (nn.Conv2d, nn.Linear)
    weights = {n: m.weight for n, m in network.named_modules() if isinstance(m, layers)}
    return {f'{n}.weight': float((w == 0).float().mean()) for n, w in weights.items()}


@torch.no_grad()
def masks_of_zeros(network: nn.Module, share: float = ZEROS) -> WeightMasks:
    """Masks that keep what is not zero, of the layers with enough zeros.

    Args:
        network: With its weights.
        share: Smallest share of exact zeros in a layer's weight that makes it a masked one.
            Training leaves hardly any exact zero, a mask many: few of them are chance.

    Raises:
        UserError: A share that is not above 0 and at most 1, or no layer with enough zeros.
    """
    if not 0 < check_number('The share of zeros', share) <= 1:
        raise UserError(f'The share of zeros must be above 0 and at most 1, got {share}.')
    shares = share_of_zeros(network)
    masked = [name for name, zeros in shares.items() if zeros >= share]
    if not masked:
        most = max(shares, key=shares.__getitem__)
        raise UserError(
            f'No layer has {share:.1%} exact zeros; most has {most}, {shares[most]:.1%}. Without '
            'masks the network is converted as a dense one.'
        )
    return {name: network.get_parameter(name) != 0 for name in masked}
