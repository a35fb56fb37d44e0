"""Training as a study does it: with progress, and from where a kill broke it off."""

from pathlib import Path

from mmengine.config import Config

from rethink_det.classification.check_images import check_images
from rethink_det.detection.datasets.check_data import check_data
from rethink_det.segmentation.datasets.check_maps import check_maps
from rethink_det.study.kept_replicates import keep_replicates
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint, newest_readable


def train_on(config: Config, folder: Path) -> tuple[dict[str, float], Path]:
    """Train a config to its end, from the last checkpoint in its folder if there is one.

    Returns:
        The metrics after the last epoch, and the checkpoint.

    Raises:
        UserError: The data does not fit; what is to be known of it is printed, a line each.
    """
    check_maps(config)
    for line in (*check_data(config), *check_images(config)):
        print(line)
    config.resume = newest_readable(folder) is not None
    config.load_from = None
    config.default_hooks.progress = {'type': 'rethink_det.ProgressHook'}
    keep_replicates(config)
    metrics = train(config)
    # Where nothing was left to train, nobody has written down which is the last.
    checkpoint = last_checkpoint(folder) or newest_readable(folder)
    assert checkpoint is not None, 'training ended without a checkpoint'
    return metrics, checkpoint
