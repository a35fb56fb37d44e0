"""Detectors for ONNX: a trained one, whole, and what tells its detections from another's."""

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from rethink_det.architecture.checkpoint import load_exactly, state_dict_of
from rethink_det.architecture.onnx import Exportable, OnnxNetwork
from rethink_det.detection.two_stage import TwoStage
from rethink_det.errors import UserError
from rethink_det.registry import MODELS

OUTPUTS = ('boxes', 'scores', 'labels')
MASKS = 'masks'
THRESHOLD = 'score_threshold'
"""Names of the outputs, and of the input that may be left out."""

_FLIPPED = 0.01
"""Share of detections that may have no counterpart: each suppression hangs on a comparison of
two numbers, and of very many a rounding decides one the other way."""


def trained_detector(config: Config, checkpoint: Mapping, path: str | os.PathLike) -> nn.Module:
    """The detector of a config with the weights of a checkpoint.

    Args:
        config: As it was trained. Where the checkpoint describes its pruned backbone, that
            counts, and no other file is read.
        checkpoint: As read by ``load_checkpoint``.
        path: Its file, for messages.

    Raises:
        UserError: The config is no detector, or the checkpoint does not fit it.
    """
    model = deepcopy(config.get('model') or {})
    backbone = model.get('backbone') or {}
    described = (checkpoint.get('meta') or {}).get('architecture')
    if backbone.get('type') == 'rethink_det.PrunedBackbone' and described:
        backbone['architecture'] = described
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmdet')):
        detector = MODELS.build(model)
    if not hasattr(detector, 'backbone'):
        raise UserError(f"The config's model, a {type(detector).__name__}, is no detector.")
    try:
        load_exactly(detector, state_dict_of(checkpoint, path))
    except UserError as error:
        raise UserError(f'{path} does not fit the config. {error}') from None
    return detector


class FeatureMaps(nn.Module):
    """Backbone and neck of a detector, without its heads."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.backbone = detector.backbone
        self.neck = getattr(detector, 'neck', None) or nn.Identity()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Feature maps for ``(N, C, H, W)``, the finest first."""
        return self.neck(self.backbone(images))


def whole_detector(detector: nn.Module, input_shape: tuple[int, int, int]) -> Exportable:
    """A detector for one image at a time, whose score threshold is an input with a default.

    Args:
        detector: Of mmdet, with trained weights.
        input_shape: ``(channels, height, width)``.

    Raises:
        UserError: As of :class:`~.two_stage.TwoStage`.
    """
    graph = TwoStage(detector, input_shape[1:])
    return Exportable(
        graph,
        input_shape,
        (*OUTPUTS, MASKS) if detector.with_mask else OUTPUTS,
        batch=1,
        settings={THRESHOLD: graph.threshold},
        difference=farthest_detection,
    )


def farthest_detection(subject: Exportable, peer: OnnxNetwork, images: Tensor) -> float:
    """How far the detection that is farthest from its counterpart is, 1 % left out.

    Boxes count in shares of the image's longer side. Order does not matter, since nearly equal
    scores may change places. Where nothing is found, the threshold is lowered until something is.
    """
    threshold = subject.settings[THRESHOLD]
    ours = subject.run(images)
    while not len(ours[0]) and threshold > 1e-9:
        threshold /= 10
        ours = subject.run(images, **{THRESHOLD: threshold})
    theirs = peer.run(images, **{THRESHOLD: threshold})
    if not len(ours[0]) or not len(theirs[0]):
        return 0.0 if len(ours[0]) == len(theirs[0]) else float('inf')
    longer = max(subject.input_shape[1:])
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
