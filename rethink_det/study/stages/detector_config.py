"""A detector's config with another backbone."""

from pathlib import Path

from mmengine.config import Config

from rethink_det.arms import Arm
from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.transfer.settings import TransferSettings


def detector_config(
    config: Config,
    arm: Arm,
    shape: Path,
    weights: Path | None,
    settings: TransferSettings | None = None,
    epochs: int | None = None,
) -> Config:
    """The config of a transfer arm; what else the backbone changes is printed, a line each.

    The arguments are those of :func:`~rethink_det.detection.transfer.adapt.transfer_config`.
    """
    adapted = transfer_config(config, arm, shape, weights, settings, epochs)
    for change in adapted.changes:
        print(change)
    return adapted.config
