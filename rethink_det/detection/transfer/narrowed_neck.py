"""A neck that reads narrower feature maps than it was written for and is otherwise as it was.

An FPN has layers of its own width behind the first ones: its ``in_channels`` are what it reads and
no more. A PAFPN (YOLOX, RTMDet) is as wide inside as what it reads: told narrower maps it would be
another neck, and the arms of a comparison would differ in more than their backbones. So it is
built for the whole backbone, and the layers that read a map lose what is not in it any more, as in
a detector that is pruned itself.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from torch import Tensor, nn

from rethink_det.architecture import Surgeon
from rethink_det.architecture.initialization import fresh_weights
from rethink_det.architecture.network import feature_widths, without_memory
from rethink_det.errors import UserError
from rethink_det.registered import build
from rethink_det.registry import MODELS
from rethink_det.transfer.feature_maps import FeatureMap

NARROWED = 'rethink_det.NarrowedNeck'
_IMAGE = (3, 320, 320)
"""Of an image that a neck can halve six times, as SSD's does."""


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
    read = _Read(whole, strides, build(MODELS, neck))
    pairs = enumerate(zip(widths, whole, strict=True))
    kept = {f'maps.{number}': range(new) for number, (new, old) in pairs if new < old}
    if kept:
        Surgeon(read, _IMAGE, prefix='backbone.').cut(kept)
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


def output_widths(neck: Mapping, maps: Sequence[FeatureMap]) -> list[int]:
    """Channels of the maps that a neck makes of some maps.

    Raises:
        UserError: It cannot be built or cannot run on them.
    """
    widths, strides = [one.width for one in maps], [one.stride for one in maps]
    return without_memory(
        lambda: feature_widths(_Read(widths, strides, build(MODELS, neck)), _IMAGE)
    )


class _Read(nn.Module):
    """A neck behind convolutions that stand for the backbone's last ones, a map each."""

    def __init__(self, widths: Sequence[int], strides: Sequence[int], neck: nn.Module) -> None:
        super().__init__()
        self.backbone = nn.Module()
        pairs = zip(widths, strides, strict=True)
        self.backbone.maps = nn.ModuleList(nn.Conv2d(3, w, 1, stride=s) for w, s in pairs)
        self.neck = neck

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The neck's maps of what the convolutions make of ``(N, 3, H, W)``."""
        maps = self.backbone.get_submodule('maps').children()
        return self.neck(tuple(one(images) for one in maps))


def _without_inputs(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of a weight without its inputs, which are the second of several dimensions."""
    return (*shape[:1], *shape[2:])
