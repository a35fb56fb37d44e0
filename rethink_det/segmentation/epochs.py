"""A schedule of iterations as one of epochs, which is what budgets are counted in.

mmsegmentation's configs draw images for so many iterations. The same number of them, in passes over
all images: each is seen as often as any other, and a training that was broken off goes on with the
images that it had not seen.
"""

import os
from collections.abc import Mapping
from copy import deepcopy

from mmengine.config import Config

from rethink_det.errors import UserError, in_one_line
from rethink_det.registered import build, scope_of
from rethink_det.registry import DATASETS
from rethink_det.segmentation.segmenter import SCOPE
from rethink_det.transfer.adapted import Adapted, Change, difference

_PROCESSES = {
    'pytorch': 'WORLD_SIZE',
    'slurm': 'SLURM_NTASKS',
    'mpi': 'OMPI_COMM_WORLD_SIZE',
}
"""By launcher, the variable that tells how many processes share the images of a step."""
_WHY = 'so many passes over {images} images in steps of {together} are {steps} iterations'


def in_epochs(config: Config) -> Adapted:
    """The config, its schedule counted in epochs.

    The number of iterations stays, to the nearest epoch. Schedulers that last as long go by
    epochs and are followed in every iteration; a warm-up stays one of iterations.

    Args:
        config: Of a segmenter; one that counts epochs already is given back as it is.

    Returns:
        The config, and what is different.

    Raises:
        UserError: The training images cannot be found, or the schedule is of neither kind.
    """
    loop = config.get('train_cfg') or {}
    if loop.get('max_epochs') is not None:
        return Adapted(config, ())
    iterations = loop.get('max_iters')
    if not isinstance(iterations, int) or iterations < 1:
        raise UserError(f'train_cfg.max_iters must be a whole number above 0, got {iterations!r}.')
    config = deepcopy(config)
    images = training_images(config)
    together = config.train_dataloader.get('batch_size', 1) * _processes(config)
    each = max(1, images // together)
    epochs = max(1, round(iterations / each))
    every = max(1, round(loop.get('val_interval', iterations) / each))
    config.train_cfg = {
        'type': 'EpochBasedTrainLoop', 'max_epochs': epochs, 'val_interval': min(every, epochs)
    }  # fmt: skip
    schedulers = config.get('param_scheduler') or []
    schedulers = [schedulers] if isinstance(schedulers, Mapping) else schedulers
    config.param_scheduler = [_scheduler(one, iterations, epochs) for one in schedulers]
    _set_loader(config, full=images >= together)
    _set_hooks(config)
    why = _WHY.format(images=images, together=together, steps=epochs * each)
    changes = [Change('train_cfg', f'{iterations} iterations', f'{epochs} epochs', why)]
    return Adapted(config, tuple(changes))


def training_images(config: Config) -> int:
    """How many images a config trains on.

    Raises:
        UserError: They cannot be found.
    """
    settings = config.train_dataloader.dataset
    with scope_of(config, SCOPE):
        try:
            return len(build(DATASETS, settings))
        except UserError:
            raise
        except Exception as error:  # data sets are anyone's code
            raise UserError(
                f'The training images cannot be counted, train_dataloader.dataset with '
                f'data_root={settings.get("data_root")!r}: {in_one_line(error)}. Take --data-root, '
                'or set train_dataloader.dataset.data_root.'
            ) from error


def _processes(config: Config) -> int:
    variable = _PROCESSES.get(config.get('launcher') or 'none')
    return int(os.environ.get(variable, 1)) if variable else 1


def _scheduler(old: Mapping, iterations: int, epochs: int) -> dict:
    """By epochs, if it ends with the training or later; a warm-up counts iterations as before."""
    new, last = dict(old), old.get('end', iterations)
    if old.get('by_epoch', True) or last < iterations:
        return new

    def scaled(number: int) -> int:
        return round(number * epochs / iterations)

    for key in ('begin', 'T_max', 'total_iters', 'step_size'):
        if isinstance(old.get(key), int):
            new[key] = scaled(old[key])
    if old.get('milestones'):
        new['milestones'] = [scaled(one) for one in old['milestones']]
    end = max(scaled(last), new.get('begin', 0) + 1)
    return {**new, 'end': end, 'by_epoch': True, 'convert_to_iter_based': True}


def _set_loader(config: Config, full: bool) -> None:
    """Every image once an epoch, in full batches as an endless sampler gives them."""
    loader = config.train_dataloader
    loader.sampler = {'type': 'DefaultSampler', 'shuffle': True}
    if full:
        loader.drop_last = True


def _set_hooks(config: Config) -> None:
    hooks = config.get('default_hooks') or {}
    checkpoint = {k: v for k, v in (hooks.get('checkpoint') or {}).items() if k != 'save_best'}
    logger = hooks.get('logger') or {'type': 'LoggerHook'}
    config.default_hooks = {
        **hooks,
        'logger': {**logger, 'log_metric_by_epoch': True},
        'checkpoint': {'type': 'CheckpointHook', **checkpoint, 'by_epoch': True, 'interval': 1},
    }
    config.log_processor = {**(config.get('log_processor') or {}), 'by_epoch': True}


def compress_warm_up(config: Config, before: int) -> list[Change]:
    """Shorten what counts iterations as the epochs around it were shortened, in place.

    A warm-up of 1,500 iterations is none in a schedule of 200.

    Args:
        config: Its epochs are those of now.
        before: The epochs that its schedulers were written for.

    Returns:
        What changes.
    """
    now, changes = config.train_cfg.max_epochs, []
    for number, one in enumerate(config.get('param_scheduler') or []):
        if one.get('by_epoch', True) or now >= before:
            continue
        for key, least in (('begin', 0), ('end', 1)):
            if isinstance(one.get(key), int):
                shorter = max(least, round(one[key] * now / before))
                place = f'param_scheduler.{number}.{key}'
                changes += difference(place, one[key], shorter, 'as the epochs are')
                one[key] = shorter
    return changes
