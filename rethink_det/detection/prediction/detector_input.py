"""What a detector of one fixed size makes of a picture before it looks at it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture.input_convention import InputConvention
from rethink_det.datasets.wrappers import unwrapped
from rethink_det.detection.datasets.check_data import class_names
from rethink_det.detection.wrapped import MODEL, detector_of, has_detector
from rethink_det.errors import UserError, shown
from rethink_det.registered import scope_of

MASK_THRESHOLD = 0.5
"""Probability from which a pixel belongs to an object, where the detector says no other."""


@dataclass(frozen=True)
class DetectorInput:
    """Size, normalisation and class names of a detector, as an exported file says them.

    A picture is enlarged or made smaller until it just fits, and what is left below it and on its
    right is padded.

    Attributes:
        shape: ``(channels, height, width)`` of what it looks at.
        keep_ratio: Whether a picture keeps its proportions; else it is made to fill all.
        padding: Value of what is padded, normalised, as the data preprocessor of mmdet has it.
        convention: How pixels are normalised.
        classes: Names in the order of labels; empty if they are not known.
        mask_threshold: Probability from which a pixel is of the object.
    """

    shape: tuple[int, int, int]
    keep_ratio: bool
    padding: float
    convention: InputConvention
    classes: tuple[str, ...] = ()
    mask_threshold: float = MASK_THRESHOLD

    @staticmethod
    def of(
        shape: tuple[int, int, int],
        convention: InputConvention,
        classes: Sequence[str],
        config: Config,
    ) -> 'DetectorInput':
        """As the test of a config has it.

        Args:
            shape: As of the class.
            convention: As of the class.
            classes: Where the test data of the config name none.
            config: That trained it.
        """
        with scope_of(config, 'mmdet'):
            data = list(_test_data(config))
            named = [class_names(settings) for settings in data[:1]]
        steps = [step for settings in data for step in settings.get('pipeline') or ()]
        stretched = any(
            str(step.get('type')).endswith('Resize') and step.get('keep_ratio') is not True
            for step in steps
        )
        model = detector_of(config)[1] if has_detector(config) else config.get(MODEL) or {}
        preprocessor = model.get('data_preprocessor') or {}
        rcnn = (model.get('test_cfg') or {}).get('rcnn') or {}
        return DetectorInput(
            shape,
            not stretched,
            float(preprocessor.get('pad_value') or 0),
            convention,
            tuple((named[0] if named else ()) or classes),
            float(rcnn.get('mask_thr_binary') or MASK_THRESHOLD),
        )

    def pixels(self, picture: np.ndarray) -> tuple[Tensor, tuple[float, float]]:
        """A picture of the size that is looked at.

        Args:
            picture: ``(h, w, 3)`` uint8, red, green, blue.

        Returns:
            Pixels ``(3, h', w')`` uint8, at most as large as :attr:`shape`, and by how much width
            and height have grown.
        """
        (height, width), (_, most_high, most_wide) = picture.shape[:2], self.shape
        if self.keep_ratio:
            scale = min(most_high / height, most_wide / width)
            size = int(width * scale + 0.5), int(height * scale + 0.5)
        else:
            size = most_wide, most_high
        if size != (width, height):
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)
        return image, (size[0] / width, size[1] / height)

    def normalised(self, pixels: Tensor) -> Tensor:
        """Float32 ``(3, H, W)`` of RGB pixels ``(3, h', w')``, padded, in the network's order."""
        mean, std = (
            torch.tensor(values)[:, None, None]
            for values in (self.convention.mean, self.convention.std)
        )
        swapped = pixels.flip(0) if self.convention.channels == 'bgr' else pixels
        whole = torch.full(self.shape, self.padding)
        whole[:, : pixels.shape[1], : pixels.shape[2]] = (swapped.float() - mean) / std
        return whole

    def padded(self, pixels: Tensor) -> Tensor:
        """Pixels ``(3, H, W)`` uint8 for a network that normalises them itself.

        What is padded is the colour that comes nearest to :attr:`padding` when it is normalised.
        """
        colour = torch.tensor(self.convention.mean) + self.padding * torch.tensor(
            self.convention.std
        )
        if self.convention.channels == 'bgr':
            colour = colour.flip(0)
        whole = colour.round().clamp(0, 255).byte()[:, None, None].repeat(1, *self.shape[1:])
        whole[:, : pixels.shape[1], : pixels.shape[2]] = pixels
        return whole

    def to_dict(self) -> dict[str, Any]:
        """Plain values; how pixels are normalised stands beside them."""
        return {
            'shape': list(self.shape),
            'keep_ratio': self.keep_ratio,
            'padding': self.padding,
            'classes': list(self.classes),
            'mask_threshold': self.mask_threshold,
        }

    @staticmethod
    def from_dict(
        entry: Mapping[str, Any], convention: InputConvention, where: str
    ) -> 'DetectorInput':
        """Inverse of :meth:`to_dict`.

        Raises:
            UserError: It makes no sense; names the file.
        """
        shape: Any = entry.get('shape')
        classes: Any = entry.get('classes')
        numbers: list[Any] = [entry.get('padding'), entry.get('mask_threshold')]
        if (
            not _are(shape, int)
            or len(shape) != 3
            or min(shape) < 1
            or type(entry.get('keep_ratio')) is not bool
            or not _are(numbers, float, int)
            or not _are(classes, str)
        ):
            raise UserError(f'{where}: what it says of its input makes no sense: {shown(entry)}.')
        padding, threshold = map(float, numbers)
        return DetectorInput(
            tuple(shape), entry['keep_ratio'], padding, convention, tuple(classes), threshold
        )


def _are(values: Any, *kinds: type) -> bool:
    return isinstance(values, list) and all(type(value) in kinds for value in values)


def _test_data(config: Config) -> Iterator[Mapping]:
    dataset = (config.get('test_dataloader') or {}).get('dataset')
    if dataset:
        yield from (settings for settings, _ in unwrapped(dataset, 'test_dataloader.dataset'))
