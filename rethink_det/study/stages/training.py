"""Training as a study does it: with progress, and from where a kill broke it off."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.report.image_replicates import ImageReplicates
from rethink_det.study.attempts import Attempts
from rethink_det.training.launch import last_checkpoint, train


def train_on(config: Config, folder: Path) -> tuple[dict[str, float], Path]:
    """Train a config to its end, from the last checkpoint in its folder if there is one.

    Returns:
        The metrics after the last epoch, and the checkpoint.
    """
    config.resume = last_checkpoint(folder) is not None
    config.load_from = None
    config.default_hooks.progress = {'type': 'rethink_det.ProgressHook'}
    keep_replicates(config)
    metrics = train(config)
    checkpoint = last_checkpoint(folder)
    assert checkpoint is not None, 'training ended without a checkpoint'
    return metrics, checkpoint


def keep_replicates(config: Config) -> None:
    """Let an evaluation leave in its folder what it would say of other test images, in place."""
    config.default_hooks.image_replicates = {'type': 'rethink_det.ImageReplicatesHook'}


def kept_replicates(folder: Path, attempt: Attempts) -> dict[str, Any]:
    """The fields of a result that say so; none if the evaluation could not tell."""
    found = attempt('replicates', lambda: ImageReplicates.read(folder))
    return vars(found) if found else {}
