"""What a detector costs: the whole of it, and the backbone in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from mmcv.ops import deform_conv, modulated_deform_conv
from mmengine.config import Config
from torch import nn

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.architecture.cost import WHOLE, count, count_parts
from rethink_det.compat import operators
from rethink_det.detection.measuring.fixed_regions import fix_regions
from rethink_det.detection.measuring.input_size import input_size
from rethink_det.detection.one_image import OneImage
from rethink_det.detection.wrapped import detector_of
from rethink_det.errors import UserError, in_one_line
from rethink_det.registered import build, is_type, scope_of
from rethink_det.registry import MODELS
from rethink_det.training.device import current_device
from rethink_det.training.generators import seeded

BACKBONE = 'backbone.'


@dataclass(frozen=True)
class DetectorCost:
    """Cost of one forward pass of a detector on one image.

    Attributes:
        whole: Of everything that a test runs.
        backbone: Of the backbone in it.
        regions: Boxes that the second stage is counted at, see :mod:`.fixed_regions`; None of a
            detector that has none, or always as many.
        idle: Parts with layers that the pass does not run, which so count as parameters alone.
    """

    whole: Cost
    backbone: Cost
    regions: int | None
    idle: tuple[str, ...]


def detector_cost(config: Config, input_shape: Sequence[int] | None = None) -> DetectorCost:
    """Parameters and MACs of a detector; no weights are needed, nor memory for them.

    Counted are the layers up to the scores, boxes and masks, at the size of a test image; what is
    done to these afterwards is not. Weights that a mask removes are not counted.

    Args:
        config: Of any detector. Its backbone may be a ``rethink_det.PrunedBackbone``.
        input_shape: ``(channels, height, width)``; default: the size of its test images, see
            :func:`.input_size.input_size`.

    Raises:
        UserError: The size cannot be told, the config is no detector, or it cannot be run.

    Example:
        >>> from rethink_det import load_config
        >>> from rethink_det.detection.measuring.cost import detector_cost
        >>> config = load_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
        >>> cost = detector_cost(config, (3, 800, 1344))
        >>> cost.whole.params, cost.backbone.params, cost.regions
        (41753286, 23508032, 1000)
    """
    shape = tuple(input_shape or input_size(config).shape)
    kept = _kept(config)
    with scope_of(config, 'mmdet'), _deformed_by_torchvision(), seeded(0):
        try:
            with torch.device('meta'):
                return _counted(config, shape, kept)
        except Exception:  # what computes with values cannot run without them
            pass
        try:
            with current_device():
                return _counted(config, shape, kept)
        except UserError:
            raise
        except Exception as error:  # detectors are anyone's code
            raise UserError(f'The detector cannot be counted: {in_one_line(error)}') from error


def _counted(config: Config, shape: Sequence[int], kept: Mapping[str, int]) -> DetectorCost:
    detector = build(MODELS, detector_of(config)[1])
    regions = fix_regions(detector)
    one = OneImage(detector)
    parts = {f'{PART}{name}': module for name, module in _parts(detector)}
    masked = {f'{PART}{name}': left for name, left in kept.items()}
    costs = count_parts(one, shape, masked, (WHOLE, f'{PART}backbone', *parts))
    idle = [n for n, module in parts.items() if _has_layers(module) and not costs[n].macs]
    names = tuple(name.removeprefix(PART) for name in idle)
    return DetectorCost(costs[WHOLE], costs[f'{PART}backbone'], regions, names)


PART = 'detector.'


def _parts(detector: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """What a detector consists of, the second stage taken apart."""
    for name, module in detector.named_children():
        if name == 'roi_head':
            yield from ((f'{name}.{key}', one) for key, one in module.named_children())
        else:
            yield name, module


def _has_layers(module: nn.Module) -> bool:
    return any(isinstance(one, nn.Linear | nn.modules.conv._ConvNd) for one in module.modules())


def _kept(config: Config) -> Mapping[str, int]:
    """Weights that masks leave of the backbone's parameters, by name in the detector."""
    backbone = detector_of(config)[1]['backbone']
    if not is_type(backbone, 'rethink_det.PrunedBackbone'):
        return {}
    kept = PrunedArchitecture.load(backbone['architecture']).masks.get('kept', {})
    return {name: left for name, left in kept.items() if name.startswith(BACKBONE)}


@contextmanager
def _deformed_by_torchvision() -> Iterator[None]:
    """Deformable convolutions by an operator that is counted; compiled ones of mmcv are not."""
    modules = (deform_conv, modulated_deform_conv)
    before = [module.ext_module for module in modules]
    try:
        for module in modules:
            module.ext_module = operators
        yield
    finally:
        for module, own in zip(modules, before, strict=True):
            module.ext_module = own


def backbone_cost(
    architecture: PrunedArchitecture, input_shape: Sequence[int] | None = None
) -> Cost:
    """Parameters and MACs of the backbone alone; removed weights are not counted.

    Args:
        architecture: Of the classifier whose backbone it is.
        input_shape: ``(channels, height, width)`` of one image; default: the architecture's.
    """
    kept = architecture.masks.get('kept', {}).items()
    own = {n.removeprefix(BACKBONE): left for n, left in kept if n.startswith(BACKBONE)}
    shape = tuple(input_shape or architecture.input_shape)
    return count(architecture.skeleton().backbone, shape, own)
