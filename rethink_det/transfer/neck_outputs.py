"""What a neck makes of feature maps."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from rethink_det.architecture.network import feature_widths, without_memory
from rethink_det.registered import build
from rethink_det.registry import MODELS
from rethink_det.transfer.feature_maps import FeatureMap

IMAGE = (3, 320, 320)
"""Of an image that a neck can halve six times, as SSD's does."""


def output_widths(neck: Mapping, maps: Sequence[FeatureMap]) -> list[int]:
    """Channels of the maps that a neck makes of some maps.

    Raises:
        UserError: It cannot be built or cannot run on them.
    """
    widths, strides = [one.width for one in maps], [one.stride for one in maps]
    return without_memory(
        lambda: feature_widths(Reading(widths, strides, build(MODELS, neck)), IMAGE)
    )


class Reading(nn.Module):
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
