"""What ``rethink-det test`` does."""

import argparse
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.arm_config import is_classifier
from rethink_det.cli.output import check_output
from rethink_det.cli.train import look_at_data, resolve, show, told
from rethink_det.detection.evaluation.test_time_augmentation import with_test_time_augmentation
from rethink_det.detection.load_detector import self_contained
from rethink_det.detection.prediction.trained_files import find_trained
from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import EVALUATION
from rethink_det.prediction import evaluate_exported
from rethink_det.prediction.exported import is_exported
from rethink_det.segmentation.segmenter import is_segmenter
from rethink_det.training.config import load_config
from rethink_det.training.launch import evaluate, leave_process_group
from rethink_det.training.misfit import misfit
from rethink_det.training.resumable import last_checkpoint
from rethink_det.training.starting_weights import MisfitError


def run(options: argparse.Namespace) -> int:
    """Evaluate; print the metrics."""
    if options.show:
        raise UserError('--show opens no window: name a folder of pictures by --show-dir DIR.')
    if options.out and options.out.endswith(('.pkl', '.pickle')):
        raise UserError(
            f'--out {options.out}: metrics are written as JSON, nothing is pickled. For predictions'
            ' set test_evaluator.outfile_prefix (COCO results), or take rethink-det predict --json.'
        )
    if options.out:
        check_output(options.out, (options.config, options.checkpoint), options.force)
    config = _resolved(options)
    if options.show_dir:
        _draw_into(config, options.show_dir)
    look_at_data(config, splits=('test',))
    if options.tta:
        config = _on_several_views(config)
    metrics = _evaluated(config, options)
    leave_process_group()
    show(metrics)
    if options.out:
        save_json(metrics, options.out)
    return 0


def _evaluated(config: Config, options: argparse.Namespace) -> dict[str, float]:
    if is_exported(options.checkpoint):
        return evaluate_exported(config, options.checkpoint)
    try:
        return evaluate(config, options.checkpoint, options.ema)
    except MisfitError as error:
        raise UserError(
            f'{error} No config lies beside the checkpoint that it fits: give the one that its '
            'training left in its work dir.'
        ) from None


def _resolved(options: argparse.Namespace) -> Config:
    """The config of the command line, or that of the training where the checkpoint is of another.

    ``train --backbone`` and ``--data-root`` change the model of the config that they are given: in
    the work dir lies what was trained.
    """
    if is_exported(options.checkpoint):
        if options.ema or options.tta:
            said = '--ema' if options.ema else '--tta'
            raise UserError(
                f'{options.checkpoint}: {said} is of checkpoints, not of exported files.'
            )
        return resolve(options)
    checkpoint = Checkpoint.read(options.checkpoint)
    config = _of_its_own(resolve(options), options, checkpoint)
    try:
        beside = find_trained(options.checkpoint).config
        trained = load_config(beside, options.cfg_options)
    except UserError:
        return config
    if trained.get('model') == config.model or not misfit(config, checkpoint):
        return config
    own = {**vars(options), 'config': str(beside)}
    trained = _of_its_own(resolve(argparse.Namespace(**own)), options, checkpoint)
    if reason := misfit(trained, checkpoint):
        raise UserError(
            f'{options.checkpoint} fits neither {options.config} nor {beside}, which lies beside '
            f'it: {reason}.'
        )
    print(
        f'{options.checkpoint} is of another model than that of {options.config}: taken is '
        f'{beside}, which trained it'
    )
    return trained


def _of_its_own(config: Config, options: argparse.Namespace, checkpoint: Checkpoint) -> Config:
    """A config whose architecture is the checkpoint's, and whose run writes over no training's."""
    # The architecture is in the checkpoint, wherever the file is now that the config may name.
    config = self_contained(config, checkpoint)
    folder = Path(config.work_dir)
    if not options.work_dir and last_checkpoint(folder) is not None:
        config.work_dir = str(folder / EVALUATION)
    return config


def _on_several_views(config: Config) -> Config:
    if is_classifier(config) or is_segmenter(config):
        raise UserError('--tta: the config is no detector; mmdet merges the boxes of detectors.')
    return told(with_test_time_augmentation(config))


def _draw_into(config: Config, folder: str) -> None:
    """Let mmdet's hook draw, in place."""
    hook = (config.get('default_hooks') or {}).get('visualization')
    if is_classifier(config) or not hook or not config.get('visualizer'):
        raise UserError(
            '--show-dir draws by default_hooks.visualization and a visualizer, as mmdet has them, '
            'and the config has none.'
        )
    hook.update(draw=True, test_out_dir=str(Path(folder).resolve()))
