"""Networks whose weights lie channels last, as convolutions of a GPU want them."""

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


@torch.no_grad()
def lay_channels_last(module: nn.Module, optimizer: Optimizer) -> None:
    """Let the weights of a network, and what an optimizer keeps of them, lie channels last.

    Values, shapes and names stay what they are.

    Args:
        module: Of which 4-dimensional weights are laid so.
        optimizer: That trains it; a resumed one's tensors are laid alike, as fused steps want the
            layout of the weights.
    """
    module.to(memory_format=torch.channels_last)
    for parameter in module.parameters():
        for name, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor) and value.ndim == 4:
                optimizer.state[parameter][name] = value.contiguous(
                    memory_format=torch.channels_last
                )
