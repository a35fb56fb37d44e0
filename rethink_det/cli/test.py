"""Evaluate a checkpoint on a config's test data, as mmdet's tools/test.py does."""

import argparse
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.arm_config import is_classifier
from rethink_det.cli.config_options import add_ema
from rethink_det.cli.output import add_force, check_output
from rethink_det.cli.train import add_common_arguments, look_at_data, resolve, show
from rethink_det.detection.load_detector import self_contained
from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.training.launch import evaluate, leave_process_group


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('config', help='config file, or package::config')
    parser.add_argument('checkpoint', help='checkpoint to evaluate')
    parser.add_argument('--work-dir', help='folder of logs')
    parser.add_argument('--out', metavar='JSON', help='also write the metrics to this file')
    parser.add_argument(
        '--show-dir', metavar='DIR', help='draw the objects of every image, found and true, there'
    )
    add_force(parser)
    add_ema(parser, 'the checkpoint')
    add_common_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Evaluate; print the metrics."""
    if options.out and options.out.endswith(('.pkl', '.pickle')):
        raise UserError(
            f'--out {options.out}: metrics are written as JSON, nothing is pickled. For predictions'
            ' set test_evaluator.outfile_prefix (COCO results), or take rethink-det predict --json.'
        )
    if options.out:
        check_output(options.out, (options.config, options.checkpoint), options.force)
    config = resolve(options)
    if not is_classifier(config):  # its architecture is in the checkpoint, wherever that is now
        config = self_contained(config, Checkpoint.read(options.checkpoint))
    if options.show_dir:
        _draw_into(config, options.show_dir)
    look_at_data(config, splits=('test',))
    metrics = evaluate(config, options.checkpoint, options.ema)
    leave_process_group()
    show(metrics)
    if options.out:
        save_json(metrics, options.out)
    return 0


def _draw_into(config: Config, folder: str) -> None:
    """Let mmdet's hook draw, in place."""
    hook = (config.get('default_hooks') or {}).get('visualization')
    if is_classifier(config) or not hook or not config.get('visualizer'):
        raise UserError(
            '--show-dir draws by default_hooks.visualization and a visualizer, as mmdet has them, '
            'and the config has none.'
        )
    hook.update(draw=True, test_out_dir=str(Path(folder).resolve()))
