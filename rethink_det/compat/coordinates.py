"""Coordinates that are no numbers, which torchvision's operators do not survive on the CPU.

A NaN becomes the index of a cell there, far outside of the map: the process ends with a
segmentation fault. On a GPU it becomes cell 0, and what is read there NaN by its weight. Here it
is so on the CPU, too: a training that diverged says so in its losses.
"""

import torch
from torch import Tensor


def unreadable(coordinates: Tensor, endless: bool = False) -> Tensor | None:
    """Where one of the coordinates of a place is NaN; None if none is, or on a GPU.

    On a GPU nothing is computed for it, and nobody waits.

    Args:
        coordinates: ``(N, D, ...)``, those of a place along the second dimension.
        endless: Whether infinite ones count as well.

    Returns:
        ``(N, 1, ...)``.
    """
    if coordinates.device.type != 'cpu':
        return None
    coordinates = coordinates * 0 if endless else coordinates
    if not coordinates.isnan().any():
        return None
    return coordinates.isnan().any(1, keepdim=True)


def replaced(coordinates: Tensor, lost: Tensor | None) -> Tensor:
    """The coordinates, of places that are lost all 0."""
    return coordinates if lost is None else torch.where(lost, 0, coordinates)


def marked(values: Tensor, lost: Tensor | None) -> Tensor:
    """The values, of places that are lost all NaN."""
    return values if lost is None else torch.where(lost, torch.nan, values)
