"""A neck that reads narrower feature maps than it was written for and is otherwise as it was.

An FPN has layers of its own width behind the first ones: its ``in_channels`` are what it reads and
no more. A PAFPN (YOLOX, RTMDet) is as wide inside as what it reads: told narrower maps it would be
another neck, and the arms of a comparison would differ in more than their backbones. So it is
built for the whole backbone, and the layers that read a map lose what is not in it any more, as in
a detector that is pruned itself.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from torch import nn

from rethink_det.architecture import Surgeon
from rethink_det.architecture.initialization import fresh_weights
from rethink_det.architecture.network import without_memory
from rethink_det.errors import UserError
from rethink_det.registered import build
from rethink_det.registry import MODELS
from rethink_det.transfer.neck_outputs import IMAGE, Reading

NARROWED = 'rethink_det.NarrowedNeck'


@MODELS.register_module(name='NarrowedNeck')
def narrowed_neck(
    neck: Mapping, whole: Sequence[int], widths: Sequence[int], strides: Sequence[int]
) -> nn.Module:
    """Build a neck for a whole backbone, then let it read what a pruned one puts out.

    It is the neck's own class, with fresh weights and narrower first layers.

    Args:
        neck: Its config, for the whole backbone.
        whole: Channels of the feature maps that it is built for.
        widths: Channels of those that it is to read.
        strides: Pixels of the image to one of each map.

    Raises:
        UserError: There are more channels than before, or other maps, or the neck cannot be
            traced.
    """
    counts = len(whole), len(widths), len(strides)
    if len(set(counts)) != 1 or any(new > old for new, old in zip(widths, whole, strict=True)):
        raise UserError(
            f'NarrowedNeck: maps {list(widths)} wide, with strides {list(strides)}, are no '
            f'narrower ones in the place of {list(whole)}.'
        )
    read = Reading(whole, strides, build(MODELS, neck))
    pairs = enumerate(zip(widths, whole, strict=True))
    kept = {f'maps.{number}': range(new) for number, (new, old) in pairs if new < old}
    if kept:
        Surgeon(read, IMAGE, prefix='backbone.').cut(kept)
        fresh_weights(read.neck)
    return read.neck


def follows_inputs(neck: Mapping, wide: Sequence[int], narrow: Sequence[int]) -> bool:
    """Whether a neck that is told other ``in_channels`` is another one, beyond what it reads.

    Args:
        neck: Its config.
        wide: Its ``in_channels`` for the whole backbone.
        narrow: For the pruned one.
    """
    try:
        one, other = (
            without_memory(partial(build, MODELS, {**neck, 'in_channels': list(widths)}))
            for widths in (wide, narrow)
        )
    except Exception:  # it cannot be built for so few, GroupNorm say
        return True
    shapes, others = ({n: t.shape for n, t in m.state_dict().items()} for m in (one, other))
    alike = shapes.keys() == others.keys()
    return not alike or any(
        _without_inputs(shapes[n]) != _without_inputs(others[n]) for n in shapes
    )


def _without_inputs(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of a weight without its inputs, which are the second of several dimensions."""
    return (*shape[:1], *shape[2:])
