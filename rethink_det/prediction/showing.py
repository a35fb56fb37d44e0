"""What was found on a picture: drawn, told in a line, and as rows of a JSON file."""

from functools import singledispatch
from typing import Any

import numpy as np

from rethink_det.classification.prediction import Classified
from rethink_det.classification.prediction.drawing import drawn as classified_drawn
from rethink_det.detection.prediction import Detections
from rethink_det.detection.prediction.drawing import drawn as detections_drawn

Found = Detections | Classified


@singledispatch
def drawn(found: Any, picture: np.ndarray) -> np.ndarray:
    """A picture with what was found on it.

    Args:
        found: :class:`Detections` or :class:`Classified`.
        picture: ``(height, width, 3)`` uint8, red, green, blue.
    """
    raise TypeError(type(found))


@singledispatch
def said(found: Any) -> str:
    """The same in a line."""
    raise TypeError(type(found))


@singledispatch
def rows(found: Any, image: str) -> list[dict[str, Any]]:
    """The same for a JSON file: of a detector COCO results, categories counted from 1 on.

    Args:
        found: As of :func:`drawn`.
        image: What the picture is called.
    """
    raise TypeError(type(found))


@drawn.register
def _(found: Detections, picture: np.ndarray) -> np.ndarray:
    return detections_drawn(picture, found)


@drawn.register
def _(found: Classified, picture: np.ndarray) -> np.ndarray:
    return classified_drawn(picture, found)


@said.register
def _(found: Detections) -> str:
    names = found.names
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return ', '.join(f'{number} {name}' for name, number in counts.items()) or 'nothing'


@said.register
def _(found: Classified) -> str:
    return ', '.join(f'{name} {score:.1%}' for _, name, score in found.top())


@rows.register
def _(found: Detections, image: str) -> list[dict[str, Any]]:
    return found.coco_rows(image, range(1, len(found.classes) + 1))


@rows.register
def _(found: Classified, image: str) -> list[dict[str, Any]]:
    return found.rows(image)
