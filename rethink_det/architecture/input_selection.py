"""Channel selection: a layer that reads a subset of its input's channels.

In a pre-activation or densely connected network many layers read one stream of features.
Pruning what *one* of them reads leaves the stream whole: the layer's weights lose input
channels, and the layer picks its own from the full input.

Source: Learning Efficient Convolutional Networks through Network Slimming (arXiv
1708.06519), section 3 ("channel selection layer"), and the residual variant of arXiv
1707.06168. There the selection is a layer of its own in front of the convolution; here the
convolution does it, so that no network needs other modules and no name changes.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rethink_det.architecture.channel_indices import check_indices, other_indices
from rethink_det.architecture.network import Layer
from rethink_det.errors import UserError


class SelectingConv2d(nn.Conv2d):
    """A convolution that reads the channels ``index`` of its input ``(N, inputs, H, W)``.

    The index is neither parameter nor saved: it is part of the architecture.
    """

    index: Tensor

    def __init__(self, conv: nn.Conv2d, index: Tensor) -> None:
        kept = ('kernel_size', 'stride', 'padding', 'dilation', 'padding_mode')
        settings: dict[str, Any] = {key: getattr(conv, key) for key in kept}
        super().__init__(len(index), conv.out_channels, bias=conv.bias is not None, **settings)
        _adopt(self, conv, index)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the selected channels."""
        return super().forward(x.index_select(1, self.index.to(x.device)))


class SelectingLinear(nn.Linear):
    """A linear layer that reads the entries ``index`` of the last dimension of its input."""

    index: Tensor

    def __init__(self, linear: nn.Linear, index: Tensor) -> None:
        super().__init__(len(index), linear.out_features, bias=linear.bias is not None)
        _adopt(self, linear, index)

    def forward(self, x: Tensor) -> Tensor:
        """Map the selected entries."""
        return super().forward(x.index_select(-1, self.index.to(x.device)))


SELECTING = (SelectingConv2d, SelectingLinear)


def _adopt(new: Layer, old: Layer, index: Tensor) -> None:
    """Take the weights of ``old`` along its inputs ``index``, and whether they train."""
    columns = index.to(old.weight.device)  # which may be meta, where an index has no values
    new.weight = nn.Parameter(old.weight.detach()[:, columns], old.weight.requires_grad)
    new.bias = old.bias
    new.train(old.training)
    before = getattr(old, 'index', None)
    index = index if before is None else before[index.to(before.device)]
    new.register_buffer('index', index.to(_real(old.weight.device)), persistent=False)


def _real(device: torch.device) -> torch.device:
    return torch.device('cpu') if device.type == 'meta' else device


def in_width(layer: Layer) -> int:
    """How many input channels a layer reads."""
    return layer.in_channels if isinstance(layer, nn.Conv2d) else layer.in_features


def select_inputs(model: nn.Module, name: str, kept: Sequence[int]) -> None:
    """Let layer ``name`` read only the inputs ``kept`` of those it reads now, in place.

    Raises:
        UserError: The layer is no plain convolution or linear layer, is grouped, or ``kept``
            is not sorted, different and in range.
    """
    layer = selectable(model, name)
    kept = check_indices(f'Layer {name} would read', kept, in_width(layer))
    parent, _, child = name.rpartition('.')
    setattr(model.get_submodule(parent), child, _selecting(layer, kept))


@torch.no_grad()
def zero_inputs(model: nn.Module, name: str, kept: Sequence[int]) -> None:
    """Make layer ``name`` deaf to all inputs but ``kept``, in place, whatever its shape."""
    layer = selectable(model, name)
    layer.weight[:, other_indices(kept, in_width(layer))] = 0


def _selecting(layer: Layer, kept: Sequence[int]) -> SelectingConv2d | SelectingLinear:
    index = torch.tensor(kept, device='cpu')
    if isinstance(layer, nn.Conv2d):
        return SelectingConv2d(layer, index)
    return SelectingLinear(layer, index)


def selectable(model: nn.Module, name: str) -> Layer:
    """The layer of that name, if it can select its inputs.

    Raises:
        UserError: It cannot, or does not exist.
    """
    layer = dict(model.named_modules()).get(name)
    plain = type(layer) in (nn.Conv2d, nn.Linear, *SELECTING)
    if isinstance(layer, Layer) and plain and getattr(layer, 'groups', 1) == 1:
        return layer
    kind = 'missing' if layer is None else f'a {type(layer).__name__}'
    raise UserError(
        f'Layer {name} cannot select its inputs: that needs an ungrouped convolution or a '
        f'linear layer, and it is {kind}.'
    )
