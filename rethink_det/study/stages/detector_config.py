"""A detector's config with another backbone."""

from pathlib import Path

from mmengine.config import Config

from rethink_det.arms import Arm
from rethink_det.detection.transfer.adapt import transfer_config


def detector_config(config: Config, arm: Arm, shape: Path, weights: Path | None) -> Config:
    """The config of a transfer arm; what else the backbone changes is printed, a line each."""
    adapted = transfer_config(config, arm, shape, weights)
    for change in adapted.changes:
        print(change)
    return adapted.config
