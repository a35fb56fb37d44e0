"""How a network wants its images: channel order, mean and standard deviation.

Weights are worth nothing under another convention than the one they were trained with, so it
travels with them in every checkpoint.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isclose, isfinite
from os import PathLike
from typing import Any

from mmengine.model import ImgDataPreprocessor
from torch import Tensor, nn

from rethink_det.errors import UserError
from rethink_det.registered import is_type

_ORDERS = ('rgb', 'bgr')


@dataclass(frozen=True, eq=False)
class InputConvention:
    """Channel order and normalisation of a network's input.

    Attributes:
        channels: ``'rgb'`` or ``'bgr'``.
        mean: Channel means that are subtracted, on the 0..255 scale, in that order.
        std: What is divided by afterwards, same scale and order.
    """

    channels: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __eq__(self, other: object) -> bool:
        """Equal to the precision of float32, in which models keep these numbers."""
        if not isinstance(other, InputConvention):
            return NotImplemented
        own, others = (*self.mean, *self.std), (*other.mean, *other.std)
        alike = self.channels == other.channels and len(own) == len(others)
        return alike and all(map(_close, own, others))

    def __str__(self) -> str:
        mean, std = (', '.join(f'{v:g}' for v in values) for values in (self.mean, self.std))
        return f'{self.channels.upper()}, mean {mean}, std {std}'

    def to_dict(self) -> dict:
        """Plain values, for ``meta['input_convention']``."""
        return {key: list(v) if key != 'channels' else v for key, v in asdict(self).items()}

    def settings(self) -> dict:
        """The same as arguments of MMEngine's and mmdet's data preprocessors.

        They read BGR images, which is how mmcv loads them.
        """
        rgb = self.channels == 'rgb'
        return {'mean': list(self.mean), 'std': list(self.std), 'bgr_to_rgb': rgb}

    @classmethod
    def of_settings(cls, settings: Mapping | None) -> 'InputConvention | None':
        """Inverse of :meth:`settings`; of this package's ``ImagePreprocessor`` as well.

        Args:
            settings: Config of a data preprocessor; ``None`` if it normalises nothing, or
                images of other than three channels.
        """
        settings = settings or {}
        mean, std = settings.get('mean'), settings.get('std')
        if not mean or not std or {len(mean), len(std)} != {3}:
            return None
        own = is_type(settings, 'rethink_det.ImagePreprocessor')
        swapped = settings.get('bgr_to_rgb') or settings.get('rgb_to_bgr')
        return cls('rgb' if own or swapped else 'bgr', _numbers(mean), _numbers(std))

    @classmethod
    def of(cls, preprocessor: nn.Module | None) -> 'InputConvention | None':
        """The convention of a model's data preprocessor; ``None`` as of :meth:`of_settings`.

        One that is around another, for several kinds of images, has that of the one inside.
        """
        preprocessor = getattr(preprocessor, 'data_preprocessor', preprocessor)
        mean, std = (getattr(preprocessor, name, None) for name in ('mean', 'std'))
        if not isinstance(mean, Tensor) or not isinstance(std, Tensor) or mean.numel() != 3:
            return None
        bgr = isinstance(preprocessor, ImgDataPreprocessor) and not preprocessor._channel_conversion
        return cls('bgr' if bgr else 'rgb', *(_numbers(v.flatten().tolist()) for v in (mean, std)))

    @classmethod
    def from_dict(
        cls, entry: Mapping | None, path: str | PathLike = 'checkpoint'
    ) -> 'InputConvention | None':
        """Inverse of :meth:`to_dict`; ``None`` for a checkpoint that says nothing.

        Raises:
            UserError: The entry makes no sense; names the file.
        """
        if entry is None:
            return None
        try:
            convention = cls(entry['channels'], _numbers(entry['mean']), _numbers(entry['std']))
        except (KeyError, TypeError, ValueError):
            convention = None
        if (
            convention is None
            or convention.channels not in _ORDERS
            or len(convention.mean) != len(convention.std)
            or not all(map(isfinite, (*convention.mean, *convention.std)))
            or min(convention.std, default=0) <= 0
        ):
            raise UserError(
                f"{path}: meta['input_convention'] is {entry!r}, expected channels ('rgb' or "
                "'bgr'), mean and a positive std of each channel."
            )
        return convention


def _close(a: float, b: float) -> bool:
    return isclose(a, b, rel_tol=1e-5, abs_tol=1e-5)


def _numbers(values: Iterable[Any]) -> tuple[float, ...]:
    """Floats without the noise of float32: 123.675, not 123.67500305."""
    return tuple(float(f'{float(value):.7g}') for value in values)
