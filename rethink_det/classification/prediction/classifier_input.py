"""What a classifier makes of a picture before it looks at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor
from torchvision.transforms import v2

from rethink_det.architecture.input_convention import InputConvention
from rethink_det.datasets.wrappers import unwrapped
from rethink_det.errors import UserError, shown
from rethink_det.registered import is_type, scope_of
from rethink_det.registry import DATASETS

IMAGENET = 'rethink_det.ImageNet'


@dataclass(frozen=True)
class ClassifierInput:
    """Size, normalisation and class names of a classifier, as an exported file says them.

    Attributes:
        shape: ``(channels, height, width)`` of what it looks at, the middle of the picture.
        short_side: Pixels that the shorter side of a picture gets before; that of ``shape``
            where the config says nothing else.
        convention: How pixels are normalised.
        classes: Names in label order; empty if they are not known.
    """

    shape: tuple[int, int, int]
    short_side: int
    convention: InputConvention
    classes: tuple[str, ...] = ()

    @staticmethod
    def of(
        shape: tuple[int, int, int],
        convention: InputConvention,
        classes: Sequence[str],
        config: Config | None = None,
    ) -> 'ClassifierInput':
        """As the test of a config has it.

        Args:
            shape: As of the class.
            convention: As of the class.
            classes: As of the class.
            config: That trained it; its test data say how large pictures are made.
        """
        side = min(shape[1:])
        for settings in _test_data(config):
            if is_type(settings, IMAGENET, DATASETS):
                side = int(side * settings.get('resize', 256) / settings.get('size', 224))
        return ClassifierInput(shape, side, convention, tuple(classes))

    def pixels(self, picture: np.ndarray) -> Tensor:
        """The part that is looked at, uint8 ``(3, H, W)``, of RGB pixels ``(h, w, 3)``."""
        image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)
        if tuple(image.shape) == self.shape:
            return image
        steps = [v2.Resize(self.short_side, antialias=True), v2.CenterCrop(self.shape[1:])]
        return v2.Compose(steps)(image)

    def normalised(self, pixels: Tensor) -> Tensor:
        """Float32 of RGB pixels ``(..., 3, H, W)``, uint8, in the network's order of channels."""
        mean, std = (
            torch.tensor(values, device=pixels.device)[:, None, None]
            for values in (self.convention.mean, self.convention.std)
        )
        swapped = pixels.flip(-3) if self.convention.channels == 'bgr' else pixels
        return (swapped.float() - mean) / std

    def to_dict(self) -> dict[str, Any]:
        """Plain values; how pixels are normalised stands beside them."""
        return {
            'shape': list(self.shape),
            'short_side': self.short_side,
            'classes': list(self.classes),
        }

    @staticmethod
    def from_dict(
        entry: Mapping[str, Any], convention: InputConvention, where: str
    ) -> 'ClassifierInput':
        """Inverse of :meth:`to_dict`.

        Raises:
            UserError: It makes no sense; names the file.
        """
        shape: Any = entry.get('shape')
        side: Any = entry.get('short_side')
        classes: Any = entry.get('classes')
        if (
            not _are(shape, int)
            or len(shape) != 3
            or min(shape) < 1
            or type(side) is not int
            or side < min(shape[1:])
            or not _are(classes, str)
        ):
            raise UserError(f'{where}: what it says of its input makes no sense: {shown(entry)}.')
        return ClassifierInput(tuple(shape), side, convention, tuple(classes))


def _are(values: Any, kind: type) -> bool:
    return isinstance(values, list) and all(type(value) is kind for value in values)


def _test_data(config: Config | None) -> list[Mapping]:
    dataset = ((config or {}).get('test_dataloader') or {}).get('dataset')
    if not dataset:
        return []
    with scope_of(config):
        return [settings for settings, _ in unwrapped(dataset, 'test_dataloader.dataset')]
