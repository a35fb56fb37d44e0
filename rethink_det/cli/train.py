"""What ``rethink-det train`` does."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process

from rethink_det.classification.check_images import check_images
from rethink_det.detection.datasets.check_data import check_data
from rethink_det.detection.datasets.data_root import with_data_root
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.errors import UserError
from rethink_det.layout import WORK_DIRS
from rethink_det.report.model_card import write_card
from rethink_det.segmentation.datasets.check_maps import check_maps
from rethink_det.segmentation.datasets.data_root import with_map_root
from rethink_det.segmentation.segmenter import is_segmenter
from rethink_det.study.with_backbone import with_backbone
from rethink_det.training.config import check_optimizer, find_config, load_config
from rethink_det.training.launch import leave_process_group, train
from rethink_det.training.resumable import last_checkpoint
from rethink_det.training.starting_weights import EMA, PARTIAL
from rethink_det.transfer.adapted import Adapted


def run(options: argparse.Namespace) -> int:
    """Train; print the final metrics."""
    config = configured(options)
    if options.resume:
        config.resume = True
        config.load_from = None if options.resume == 'auto' else options.resume
        if options.resume == 'auto' and last_checkpoint(config.work_dir) is None:
            print(f'nothing to resume in {config.work_dir}: starting from the beginning')
    look_at_data(config)
    check_model(config)
    check_optimizer(config)
    metrics = train(config)
    last = last_checkpoint(config.work_dir)
    if last is not None and is_main_process():
        write_card(last, metrics)
    leave_process_group()
    show(metrics)
    return 0


def configured(options: argparse.Namespace) -> Config:
    """The config that the command line describes, with the backbone that it names.

    Raises:
        UserError: The backbone does not fit, or has no arm.
    """
    config = resolve(options)
    if (options.backbone is None) != (options.arm is None):
        raise UserError('--backbone and --arm go together.')
    if options.backbone:
        arm, settings = options.arm, options.arm_settings
        config = told(with_backbone(config, options.backbone, arm, settings, options.ema))
    elif options.ema and not config.get('load_from'):
        raise UserError('--ema: the config has no load_from, and there is no --backbone.')
    for key, said in ((PARTIAL, options.load_partial), (EMA, options.ema)):
        if said:
            config[key] = True
    if options.seed is not None:
        config.randomness = {**(config.get('randomness') or {}), 'seed': options.seed}
    if options.auto_scale_lr:
        _scale_lr(config)
    if options.amp:
        config.optim_wrapper.type = 'AmpOptimWrapper'
    return config


def _scale_lr(config: Config) -> None:
    """Let MMEngine scale the learning rate, in place, as mmdet's tools/train.py does."""
    own = config.get('auto_scale_lr') or {}
    if not own.get('base_batch_size'):
        raise UserError(
            '--auto-scale-lr: the config does not say for which batch its learning rate is: set '
            'auto_scale_lr.base_batch_size, the images of all processes together.'
        )
    config.auto_scale_lr = {**own, 'enable': True}


def resolve(options: argparse.Namespace) -> Config:
    """The config that the command line describes."""
    file = find_config(options.config)
    config = load_config(file, options.cfg_options)
    if 'model' not in config:
        raise UserError(f'{file} describes no model; a study is run by: rethink-det study {file}')
    if options.data_root:
        on_other_data = with_map_root if is_segmenter(config) else with_data_root
        config = told(on_other_data(config, options.data_root))
    config.launcher = options.launcher
    os.environ.setdefault('LOCAL_RANK', str(options.local_rank))
    config.work_dir = (
        options.work_dir
        or config.get('work_dir')
        or str(Path(WORK_DIRS) / Path(options.config).stem)
    )
    return config


def look_at_data(config: Config, splits: Sequence[str] = ('train', 'val', 'test')) -> None:
    """Refuse data that does not fit; print what is to be known of it, a line each.

    Raises:
        UserError: Names the file, what is wrong in it, and what to do.
    """
    check_maps(config, splits)
    for line in (*check_data(config, splits), *check_images(config, splits)):
        _say(line)


def show(metrics: dict[str, float]) -> None:
    """Print metrics, one a line, on the main process."""
    for name, value in metrics.items():
        _say(f'{name}: {value}')


def told(adapted: Adapted) -> Config:
    """The config, when what is different in it has been printed."""
    for change in adapted.changes:
        _say(str(change))
    return adapted.config


def _say(line: str) -> None:
    if os.environ.get('RANK', '0') == '0':
        print(line)
