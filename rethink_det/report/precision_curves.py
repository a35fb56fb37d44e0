"""What ``curves.json`` says of a detector's boxes or masks: precision against recall, AP by class.

It is written by ``rethink_det.CurvesHook`` after each validation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rethink_det.report.schema import within

RECALLS = 101
"""Points of a curve: at recalls of 0.00 to 1.00, as COCO interpolates it."""
_THRESHOLDS = re.compile(r'\d\.\d\d(:\d\.\d\d)?')


@dataclass(frozen=True)
class ClassScores:
    """AP of one class, each None where the class has no object or it was not evaluated.

    Attributes:
        name: Of the class.
        AP: The mean over the IoU thresholds.
        AP50: At an IoU of 0.5.
        AP75: At an IoU of 0.75.
    """

    name: str
    AP: float | None = field(default=None, metadata=within(0, 1))
    AP50: float | None = field(default=None, metadata=within(0, 1))
    AP75: float | None = field(default=None, metadata=within(0, 1))


@dataclass(frozen=True)
class PrecisionCurves:
    """Curves of boxes or of masks.

    Attributes:
        precision: By IoU threshold (``'0.50'``) or span of them (``'0.50:0.95'``) the precision at
            each of the :data:`RECALLS`, means over classes.
        classes: In the order of the data set.

    Raises:
        ValueError: A threshold is none, or a curve has another number of points.
    """

    precision: Mapping[str, tuple[float, ...]] = field(metadata=within(0, 1))
    classes: tuple[ClassScores, ...]

    def __post_init__(self) -> None:
        for name, curve in self.precision.items():
            if not _THRESHOLDS.fullmatch(name):
                raise ValueError(f'{name!r} is no IoU threshold, as 0.50 or 0.50:0.95')
            if len(curve) != RECALLS:
                raise ValueError(f'the curve of {name} has {len(curve)} points, not {RECALLS}')
