"""What of a backbone its chosen outputs need, found without computing anything."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from rethink_det.architecture.tracing import evaluating


def outputs_without_memory(
    backbone: nn.Module, size: int | Sequence[int], parameters: dict[str, Tensor] | None = None
) -> tuple[Tensor, ...]:
    """What a backbone puts out for one image, without values.

    Args:
        backbone: On any device, left as it is.
        size: ``(height, width)`` of the image, or its side.
        parameters: Those to run with, on the meta device; default: shaped as its own.
    """
    height, width = (size, size) if isinstance(size, int) else size[-2:]
    tensors = [*backbone.named_parameters(), *backbone.named_buffers()]
    state = {name: torch.empty_like(tensor, device='meta') for name, tensor in tensors}
    image = torch.empty(1, 3, height, width, device='meta')
    with evaluating(backbone):
        return functional_call(backbone, {**state, **(parameters or {})}, (image,))


def freeze_unused(backbone: nn.Module, size: int | Sequence[int]) -> None:
    """Freeze the parameters that no output depends on: nothing trains them, and DDP would wait.

    Args:
        backbone: Of which some maps are put out.
        size: As of :func:`outputs_without_memory`.
    """
    parameters = dict(backbone.named_parameters())
    shapes = {
        name: torch.empty_like(parameter, device='meta').requires_grad_()
        for name, parameter in parameters.items()
    }
    with torch.enable_grad():
        maps = outputs_without_memory(backbone, size, shapes)
        total = torch.stack([feature.sum() for feature in maps]).sum()
    gradients = torch.autograd.grad(total, list(shapes.values()), allow_unused=True)
    for parameter, gradient in zip(parameters.values(), gradients, strict=True):
        if gradient is None:
            parameter.requires_grad_(False)
