"""The channel selection layers of Network Slimming's code, read off a state dict.

In the code of arXiv 1708.06519 and 1810.05270 a layer with one parameter, ``indexes`` of 0 and 1,
stands in front of a convolution that reads a part of the channels: ``select`` after a BatchNorm in
Network Slimming, ``selection`` at the start of each block in the ResNet-50-2X of arXiv 1707.06168.
Here that convolution picks them itself (see :mod:`~rethink_det.architecture.input_selection`).
"""

import re
from collections.abc import Mapping

from torch import Tensor

SELECTION = re.compile(r'(?P<place>|.*\.)select(ion)?\.indexes')
CONSUMER = 'conv1'
"""The layer behind a selection inside of a block; at the end of the network it is ``fc``."""


def split_selections(
    tensors: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, tuple[int, ...]]]:
    """Take the selections out of a state dict.

    Returns:
        The other tensors; and by the name of the reading layer's weight the inputs it reads,
        of layers that read fewer than all. All names are the foreign ones.
    """
    weights, selections = {}, {}
    for name, tensor in tensors.items():
        found = SELECTION.fullmatch(name)
        if not found:
            weights[name] = tensor
        elif not tensor.bool().all():
            place = found['place']
            inside = f'{place}{CONSUMER}.weight' in tensors and _is_block(place)
            consumer = CONSUMER if inside else 'fc'
            selections[f'{place}{consumer}.weight'] = tuple(tensor.nonzero().flatten().tolist())
    return weights, selections


def _is_block(place: str) -> bool:
    """Whether a prefix of names is more than a wrapper's."""
    return place not in ('', 'module.')
