"""Detectors for ONNX: a whole one, and what tells its detections from another's."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModel
from torch import Tensor

from rethink_det.export.onnx import Exportable, Peer
from rethink_det.export.rcnn_graph import RCNNGraph

OUTPUTS = ('boxes', 'scores', 'labels')
MASKS = 'masks'
THRESHOLD = 'score_threshold'
"""Names of the outputs, and of the input that may be left out."""

_FLIPPED = 0.01
"""Share of detections that may have no counterpart: each suppression hangs on a comparison of
two numbers, and of very many a rounding decides one the other way."""


def whole_detector(detector: BaseModel, input_shape: tuple[int, int, int]) -> Exportable:
    """A detector for one image at a time, whose score threshold is an input with a default.

    Args:
        detector: Of mmdet, with trained weights.
        input_shape: ``(channels, height, width)``.

    Raises:
        UserError: As of :class:`~.rcnn_graph.RCNNGraph`.
    """
    graph = RCNNGraph(detector, input_shape[1:])
    return Exportable(
        graph,
        input_shape,
        (*OUTPUTS, MASKS) if detector.with_mask else OUTPUTS,
        batch=1,
        settings={THRESHOLD: graph.threshold},
        difference=farthest_detection,
    )


def farthest_detection(exportable: Exportable, peer: Peer, images: Tensor) -> float:
    """How far the detection that is farthest from its counterpart is, 1 % left out.

    Boxes count in shares of the image's longer side. Order does not matter, since nearly equal
    scores may change places. Where nothing is found, the threshold is lowered until something is.
    """
    threshold = exportable.settings[THRESHOLD]
    ours = exportable.run(images)
    while not len(ours[0]) and threshold > 1e-9:
        threshold /= 10
        ours = exportable.run(images, **{THRESHOLD: threshold})
    theirs = peer.run(images, **{THRESHOLD: threshold})
    if not len(ours[0]) or not len(theirs[0]):
        return 0.0 if len(ours[0]) == len(theirs[0]) else float('inf')
    longer = max(exportable.input_shape[1:])
    apart = torch.cdist(_rows(ours, longer), _rows(theirs, longer), p=float('inf'))
    return max(_farthest(apart.amin(0)), _farthest(apart.amin(1)))


def _rows(outputs: Sequence[Tensor], longer: int) -> Tensor:
    """All that is known of a detection, a row each."""
    boxes, *others = outputs
    columns = [output.reshape(len(output), -1).float() for output in others]
    return torch.cat([boxes / longer, *columns], 1)


def _farthest(distances: Tensor) -> float:
    left_out = int(_FLIPPED * len(distances))
    return distances.sort(descending=True).values[left_out].item()
