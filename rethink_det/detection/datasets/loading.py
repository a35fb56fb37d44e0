"""What the pipeline of a data set's config reads of a picture and of its objects."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import NamedTuple


class Reading(NamedTuple):
    """How pictures are read that have an EXIF tag which turns them."""

    as_shown: bool
    """Whether they are turned by it."""
    stated: bool
    """Whether the config says so itself, in ``color_type``."""


def steps(dataset: Mapping, name: str) -> Iterator[MutableMapping]:
    """The steps of a data set's pipeline of that name, in whatever scope."""
    for step in dataset.get('pipeline') or ():
        kind = step.get('type')
        if (kind if isinstance(kind, str) else getattr(kind, '__name__', '')).endswith(name):
            yield step


def reading(dataset: Mapping) -> Reading:
    """How the first step that loads a picture does it; mmcv's way where there is none."""
    step: Mapping = next(steps(dataset, 'LoadImageFromFile'), {})
    backend = step.get('imdecode_backend') or 'cv2'
    turns = step.get('color_type', 'color') in ('color', 'grayscale')
    return Reading(turns and backend in ('cv2', 'pillow'), 'color_type' in step)


def loads_masks(dataset: Mapping) -> bool:
    """Whether objects are read with their masks."""
    return any(step.get('with_mask') for step in steps(dataset, 'LoadAnnotations'))
