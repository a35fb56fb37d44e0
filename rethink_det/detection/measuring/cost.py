"""What the backbone of a detector costs, its classifier's head left out."""

from collections.abc import Sequence

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.architecture.cost import count

BACKBONE = 'backbone.'


def backbone_cost(
    architecture: PrunedArchitecture, input_shape: Sequence[int] | None = None
) -> Cost:
    """Parameters and MACs of the backbone alone; removed weights are not counted.

    Args:
        architecture: Of the classifier whose backbone it is.
        input_shape: ``(channels, height, width)`` of one image; default: the architecture's.
    """
    kept = architecture.masks.get('kept', {}).items()
    own = {n.removeprefix(BACKBONE): left for n, left in kept if n.startswith(BACKBONE)}
    shape = tuple(input_shape or architecture.input_shape)
    return count(architecture.skeleton().backbone, shape, own)
