"""A trained detector as a module, and the part of it that makes feature maps."""

import os
from copy import deepcopy
from typing import Any

from mmengine.config import Config
from mmengine.model import BaseModel, revert_sync_batchnorm
from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture, published
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.fitting import load_exactly
from rethink_det.errors import UserError
from rethink_det.registered import build, is_type, scope_of
from rethink_det.registry import MODELS


def load_detector(config: Config, checkpoint: Checkpoint) -> BaseModel:
    """The detector of a config with the weights of a checkpoint.

    Args:
        config: As it was trained. Where the checkpoint describes its pruned backbone, that
            counts, and no other file is read.
        checkpoint: Of the detector.

    Raises:
        UserError: The config is no detector, or the checkpoint does not fit it.
    """
    with scope_of(config, 'mmdet'):
        detector = build(MODELS, self_contained(config, checkpoint).get('model') or {})
    detector = revert_sync_batchnorm(detector)  # as MMEngine does where there is one process
    if not hasattr(detector, 'backbone'):
        raise UserError(f"The config's model, a {type(detector).__name__}, is no detector.")
    try:
        load_exactly(detector, checkpoint.weights)
    except UserError as error:
        raise UserError(f'{checkpoint.path} does not fit the config. {error}') from None
    return detector


def self_contained(config: Config, checkpoint: Checkpoint) -> Config:
    """A copy of a config that reads no file for the shape of its backbone.

    Args:
        config: As the network was trained.
        checkpoint: Its own; where it describes a pruned backbone, that takes the place of a name.
            One that is of another shape than the config says does not: it does not fit.

    Raises:
        UserError: The architecture's file is there, and damaged or no architecture.
    """
    config = deepcopy(config)
    backbone = (config.get('model') or {}).get('backbone')
    if backbone and checkpoint.architecture and is_type(backbone, 'rethink_det.PrunedBackbone'):
        own = PrunedArchitecture.load(checkpoint.architecture)
        if _is_gone(backbone.get('architecture')) or _alike(backbone['architecture'], own):
            backbone['architecture'] = checkpoint.architecture
    return config


def _is_gone(named: Any) -> bool:
    """Whether an architecture is named by a file that is not there."""
    is_file = isinstance(named, (str, os.PathLike)) and os.fspath(named) not in published.names()
    return named is None or (is_file and not os.path.isfile(named))


def _alike(named: Any, own: PrunedArchitecture) -> bool:
    """Whether two backbones have the same shape, whichever channels they keep."""
    one, other = PrunedArchitecture.load(named).shape(), own.shape()
    parts = ('backbone', 'channels', 'removed_blocks')
    return all(getattr(one, part) == getattr(other, part) for part in parts)


class BackboneAndNeck(nn.Module):
    """Backbone and neck of a detector, without its heads."""

    def __init__(self, detector: BaseModel) -> None:
        super().__init__()
        self.backbone: nn.Module = detector.backbone
        self.neck: nn.Module = getattr(detector, 'neck', None) or nn.Identity()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Feature maps for ``(N, C, H, W)``, the finest first."""
        return self.neck(self.backbone(images))
