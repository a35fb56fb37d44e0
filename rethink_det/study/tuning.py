"""The learning rate of an arm: a few are tried on a held-out part of its training images.

Source: Why is the State of Neural Network Pruning so Confusing? (arXiv 2301.05219), which calls a
fixed fine-tuning rate of 0.001 severely sub-optimal. The test images have no part in the choice,
and who tries pays: the trials are counted as training compute of the run.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path

from mmengine.config import Config

from rethink_det.errors import UserError
from rethink_det.layout import trial_folder
from rethink_det.report.statistics import METRICS
from rethink_det.study.stages.training import train_on

TOP1 = next(iter(METRICS['classification']))


def trial_config(config: Config, lr: float) -> Config:
    """The config of a trial: the whole training with another rate, on what is not held out.

    Args:
        config: Of a classifier's run, resolved.
        lr: The rate.

    Raises:
        UserError: The config evaluates nothing.
    """
    if not config.get('val_dataloader'):
        raise UserError('tune_lr needs a val_dataloader in the config, whose data set it replaces.')
    config = deepcopy(config)
    images = config.train_dataloader.dataset
    config.optim_wrapper.optimizer.lr = lr
    for name, held in (('train', False), ('val', True)):
        part = {'type': 'rethink_det.HeldOut', 'dataset': deepcopy(images), 'held': held}
        config[f'{name}_dataloader'] = {**config[f'{name}_dataloader'], 'dataset': part}
    for key in ('dataloader', 'cfg', 'evaluator'):
        config[f'test_{key}'] = None
    return config


def try_rates(config: Config, rates: Sequence[float], folder: Path) -> dict[float, float]:
    """The top-1 accuracy on the held-out images, in percent, of a training with each rate.

    Trials that were done before are not done again.

    Args:
        config: Of a classifier's run, resolved.
        rates: To try.
        folder: Of the run.

    Raises:
        UserError: The config evaluates no top-1 accuracy.
    """
    found = {}
    for lr in rates:
        place = trial_folder(folder, lr)
        trial = trial_config(config, lr)
        trial.work_dir = str(place)
        metrics, _ = train_on(trial, place)
        if TOP1 not in metrics:
            raise UserError(f'tune_lr goes by {TOP1}, and val_evaluator of the config gives none.')
        found[lr] = metrics[TOP1]
    return found


def best_of(trials: Mapping[float, float]) -> float:
    """The rate of the highest accuracy; of several the first that was tried."""
    return max(trials, key=lambda lr: trials[lr])
