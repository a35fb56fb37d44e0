"""Trained networks that can be exported: classifiers, detectors, and the backbones of both."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import ARCHITECTURE, CONVENTION, Checkpoint
from rethink_det.architecture.cost import count
from rethink_det.architecture.fitting import load_exactly
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.network import feature_shapes, outputs_of
from rethink_det.classification.arm_config import classifier_architecture, is_classifier
from rethink_det.classification.prediction import ClassifierInput
from rethink_det.detection.load_detector import BackboneAndNeck, load_detector
from rethink_det.detection.prediction import DetectorInput
from rethink_det.errors import UserError
from rethink_det.export.detector import whole_detector
from rethink_det.export.heads import RawHeads
from rethink_det.export.kinds import CLASSIFIER, DETECTOR, FEATURES, HEADS, INPUT, KIND
from rethink_det.export.onnx import Exportable

Shape = tuple[int, int, int]

PART, SCORES = 'backbone.', ('scores',)


class Normalised(nn.Module):
    """A network that reads RGB pixels of 0..255 and normalises them itself."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, convention: InputConvention) -> None:
        super().__init__()
        self.network, self.swap = network, convention.channels == 'bgr'
        for name in ('mean', 'std'):
            values = torch.tensor(getattr(convention, name))[:, None, None]
            self.register_buffer(name, values, persistent=False)

    def forward(self, images: Tensor, *settings: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The network's outputs for ``(N, 3, H, W)``, uint8."""
        images = images.flip(1) if self.swap else images
        return self.network((images.float() - self.mean) / self.std, *settings)


def normalising(exportable: Exportable, path: str | os.PathLike) -> Exportable:
    """The same network with the normalisation inside, for uint8 RGB images.

    Args:
        exportable: What is exported.
        path: The checkpoint, for the message.

    Raises:
        UserError: How images are normalised is not known.
    """
    convention = exportable.convention
    if convention is None or len(convention.mean) != exportable.input_shape[0]:
        raise UserError(
            f"{path} does not say how its images are normalised (meta['{CONVENTION}']): leave out "
            '--normalise, and normalise them as in training.'
        )
    return replace(exportable, network=Normalised(exportable.network, convention), pixels=True)


def read_exportable(
    path: str | os.PathLike,
    config: Config | None = None,
    input_shape: Shape | None = None,
    backbone: bool = False,
    ema: bool = False,
    heads: bool = False,
) -> Exportable:
    """The network of a checkpoint, ready for export.

    Args:
        path: The checkpoint.
        config: That trained it; needed for detectors.
        input_shape: ``(channels, height, width)`` of an image; needed for detectors.
        backbone: Take the feature maps instead of scores or detections.
        ema: Take the weights that were averaged over the training.
        heads: Of a detector take what its heads put out, before that becomes detections.

    Raises:
        UserError: The checkpoint is missing, damaged, does not describe its architecture or
            does not fit the config; or the shape of a detector's images is not given.
    """
    checkpoint = Checkpoint.read(path, ema)
    if config is not None and not is_classifier(config):
        return _detector(config, checkpoint, input_shape, backbone, heads)
    if heads:
        raise UserError('--heads is for detectors: give the config that trained it as well.')
    architecture = _architecture(config, checkpoint)
    network = _network(architecture, checkpoint, backbone)
    shape = input_shape or architecture.input_shape
    exportable = _feature_maps(network, shape) if backbone else Exportable(network, shape, SCORES)
    masked = architecture.masks.get('kept', {})
    prefix = PART if backbone else ''
    kept = {n.removeprefix(prefix): left for n, left in masked.items() if n.startswith(prefix)}
    convention = checkpoint.input_convention or _convention(config)
    told: dict[str, Any] = {KIND: FEATURES if backbone else CLASSIFIER}
    if convention is not None and not backbone:
        told[INPUT] = ClassifierInput.of(shape, convention, checkpoint.classes, config).to_dict()
    return _described(exportable, architecture, kept, convention, told)


def _convention(config: Config | None) -> InputConvention | None:
    return InputConvention.of_settings(config.model.get('data_preprocessor')) if config else None


def _detector(
    config: Config, checkpoint: Checkpoint, shape: Shape | None, backbone: bool, heads: bool
) -> Exportable:
    detector = load_detector(config, checkpoint)
    if shape is None:
        raise UserError('A detector takes images of any size: say which by --input-shape 3 H W.')
    if backbone:
        exportable, prefix = _feature_maps(BackboneAndNeck(detector), shape), ''
    elif heads:
        exportable, prefix = _heads(detector, shape), 'whole.detector.'
    else:
        exportable, prefix = whole_detector(detector, shape), 'detector.'
    pruned = getattr(detector.backbone, 'architecture', None)
    masked = pruned.masks.get('kept', {}) if pruned else {}
    kept = {prefix + name: left for name, left in masked.items() if name.startswith(PART)}
    convention = InputConvention.of(detector.data_preprocessor)
    told: dict[str, Any] = {KIND: FEATURES if backbone else HEADS if heads else DETECTOR}
    if convention is not None and not backbone and not heads:
        told[INPUT] = DetectorInput.of(shape, convention, checkpoint.classes, config).to_dict()
    return _described(exportable, pruned, kept, convention, told)


def _heads(detector: BaseModel, shape: Shape) -> Exportable:
    """What the heads put out, for one image at a time: some are told of each image by itself."""
    heads = RawHeads(detector)
    outputs = tuple(f'output_{number}' for number, _ in enumerate(outputs_of(heads, shape)))
    return Exportable(heads, shape, outputs, batch=1)


def _architecture(config: Config | None, checkpoint: Checkpoint) -> PrunedArchitecture:
    if checkpoint.architecture is not None:
        return PrunedArchitecture.load(checkpoint)
    if config is None:
        raise UserError(
            f"{checkpoint.path} does not describe its architecture (no meta['{ARCHITECTURE}']). "
            'Give the config that trained it as well, export CONFIG CHECKPOINT --onnx, or make it '
            'self-describing by rethink-det convert.'
        )
    return classifier_architecture(config)


def _network(architecture: PrunedArchitecture, checkpoint: Checkpoint, backbone: bool) -> nn.Module:
    """The classifier, or its backbone, with the checkpoint's weights."""
    whole, state = architecture.skeleton(), checkpoint.weights
    network = whole.backbone if backbone else whole
    if backbone:
        state = {n.removeprefix(PART): t for n, t in state.items() if n.startswith(PART)}
    elif not any(name.startswith('head.') for name in state):
        raise UserError(
            f'{checkpoint.path} is no classifier. Of a detector give the config that trained it as '
            'well, export CONFIG CHECKPOINT --onnx, or take its --backbone.'
        )
    try:
        load_exactly(network, state, assign=True)
    except UserError as error:
        raise UserError(f'{checkpoint.path}: {error}') from None
    return network.float()


def _feature_maps(network: nn.Module, shape: Shape) -> Exportable:
    """A network that puts out feature maps, the finest first."""
    shapes = feature_shapes(network, shape)
    return Exportable(network, shape, tuple(f'feature_{i}' for i in range(len(shapes))))


def _described(
    exportable: Exportable,
    architecture: PrunedArchitecture | None,
    kept: Mapping[str, int],
    convention: InputConvention | None,
    told: Mapping[str, Any],
) -> Exportable:
    """The same with what it is, how it wants its images, and what it costs."""
    known = {ARCHITECTURE: architecture, CONVENTION: convention}
    meta = {**told, **{key: one.to_dict() for key, one in known.items() if one is not None}}
    network, shape = exportable.network, exportable.input_shape
    outputs_of(network, shape)  # refuses images that do not fit
    cost = count(network, shape, kept)
    return replace(exportable, meta=meta, cost=cost, convention=convention)
