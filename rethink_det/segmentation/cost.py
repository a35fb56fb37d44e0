"""What a segmenter costs: the whole of it, and the backbone in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.architecture.cost import WHOLE, count_parts
from rethink_det.errors import UserError, in_one_line
from rethink_det.registered import build, is_type, scope_of
from rethink_det.registry import MODELS
from rethink_det.segmentation.segmenter import SCOPE
from rethink_det.training.generators import seeded
from rethink_det.transfer.new_backbone import KIND

PART = 'segmenter.'
BACKBONE = 'backbone.'


@dataclass(frozen=True)
class SegmenterCost:
    """Cost of one forward pass of a segmenter on one image.

    Attributes:
        whole: Of everything that a test runs.
        backbone: Of the backbone in it.
        idle: Parts with layers that the pass does not run (auxiliary heads), which so count as
            parameters alone.
    """

    whole: Cost
    backbone: Cost
    idle: tuple[str, ...]


def segmenter_cost(config: Config, input_shape: Sequence[int]) -> SegmenterCost:
    """Parameters and MACs of a segmenter; no weights are needed, nor memory for them.

    Counted are the layers up to the scores of the classes. Weights that a mask removes are not.

    Args:
        config: Of any segmenter. Its backbone may be a ``rethink_det.PrunedBackbone``.
        input_shape: ``(channels, height, width)`` of an image.

    Raises:
        UserError: It cannot be run.
    """
    kept = {f'{PART}{name}': left for name, left in _kept(config).items()}
    with scope_of(config, SCOPE), seeded(0):
        try:
            with torch.device('meta'):
                return _counted(config, input_shape, kept)
        except Exception:  # what computes with values cannot run without them
            pass
        try:
            return _counted(config, input_shape, kept)
        except Exception as error:  # segmenters are anyone's code
            raise UserError(f'The segmenter cannot be counted: {in_one_line(error)}') from error


def _counted(config: Config, shape: Sequence[int], kept: Mapping[str, int]) -> SegmenterCost:
    segmenter = build(MODELS, config.model)
    names = [name for name, module in segmenter.named_children() if _has_layers(module)]
    parts = (WHOLE, *(f'{PART}{name}' for name in names))
    costs = count_parts(_OneImage(segmenter), tuple(shape), dict(kept), parts)
    idle = tuple(name for name in names if not costs[f'{PART}{name}'].macs)
    return SegmenterCost(costs[WHOLE], costs[f'{PART}backbone'], idle)


class _OneImage(nn.Module):
    """A segmenter that is given an image and nothing else."""

    def __init__(self, segmenter: nn.Module) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, images: Tensor) -> Any:
        """Scores of the classes for ``(1, C, H, W)``, at whatever stride the head has."""
        return self.segmenter(images, mode='tensor')


def _has_layers(module: nn.Module) -> bool:
    return any(isinstance(one, nn.Linear | nn.modules.conv._ConvNd) for one in module.modules())


def _kept(config: Config) -> Mapping[str, int]:
    """Weights that masks leave of the backbone's parameters, by name in the segmenter."""
    backbone = config.model['backbone']
    if not is_type(backbone, KIND):
        return {}
    kept = PrunedArchitecture.load(backbone['architecture']).masks.get('kept', {})
    return {name: left for name, left in kept.items() if name.startswith(BACKBONE)}
