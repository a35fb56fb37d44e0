"""A blank image through a pipeline: what becomes of its size, where no image is at hand."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import cv2
import numpy as np
from mmengine.dataset import Compose
from mmengine.registry import TRANSFORMS

from rethink_det.registered import registered

_ANNOTATIONS = re.compile('Load[A-Za-z]*Annotations')


@contextmanager
def blank_image(
    pipeline: Sequence, width: int, height: int
) -> Iterator[Callable[[], Mapping[str, Any]]]:
    """Prepare a black image, of which there is nothing but its file, by the real transforms.

    Args:
        pipeline: Settings of the steps. Those that read what is on the image are left out, which
            changes nothing of its size.
        width: In pixels.
        height: In pixels.

    Yields:
        A function that prepares the image, each time from its file on.
    """
    steps = _without_annotations(pipeline)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'blank.png')
        cv2.imwrite(path, np.zeros((height, width, 3), np.uint8))
        record = {'img_path': path, 'img_id': 0, 'width': width, 'height': height}
        record = _as_read_by({_name(step) for step in steps}, record)
        prepare = Compose(steps)
        yield lambda: prepare(deepcopy(record))


def _without_annotations(pipeline: Sequence) -> list:
    """Steps but those that read what is on an image, from disk wherever the data should lie."""
    kept: list = []
    for step in pipeline:
        if isinstance(step, list | tuple):  # of several among which is chosen
            within = _without_annotations(step)
            kept += [within] if within or not step else []
        elif not isinstance(step, Mapping):
            kept.append(step)
        elif not _ANNOTATIONS.fullmatch(_name(step)):
            own = {key: deepcopy(value) for key, value in step.items() if key != 'backend_args'}
            inner = {'transforms': _without_annotations(own.get('transforms') or ())}
            kept.append({**own, **(inner if 'transforms' in own else {})})
    return kept


def _as_read_by(steps: set[str], record: dict[str, Any]) -> dict[str, Any]:
    """The record of an image with what steps of these names look for besides."""
    if 'LoadProposals' in steps:
        empty = {'bboxes': np.zeros((0, 4), np.float32), 'scores': np.zeros(0)}
        record = {**record, 'proposals': empty}
    if 'TransformBroadcaster' in steps:  # a video, of one frame
        record = {key: [value] for key, value in record.items()}
    return record


def _name(step: Any) -> str:
    """Of the class of a step."""
    kind = step['type'] if isinstance(step, Mapping) else type(step)
    return getattr(registered(TRANSFORMS, kind), '__name__', '')
