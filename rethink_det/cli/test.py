"""Evaluate a checkpoint on a config's test data, as mmdet's tools/test.py does."""

import argparse

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.arm_config import is_classifier
from rethink_det.cli.config_options import add_ema
from rethink_det.cli.output import add_force, check_output
from rethink_det.cli.train import add_common_arguments, look_at_data, resolve, show
from rethink_det.detection.load_detector import self_contained
from rethink_det.files import save_json
from rethink_det.training.launch import evaluate, leave_process_group


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('config', help='config file, or package::config')
    parser.add_argument('checkpoint', help='checkpoint to evaluate')
    parser.add_argument('--work-dir', help='folder of logs')
    parser.add_argument('--out', metavar='JSON', help='also write the metrics to this file')
    add_force(parser)
    add_ema(parser, 'the checkpoint')
    add_common_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Evaluate; print the metrics."""
    if options.out:
        check_output(options.out, (options.config, options.checkpoint), options.force)
    config = resolve(options)
    if not is_classifier(config):  # its architecture is in the checkpoint, wherever that is now
        config = self_contained(config, Checkpoint.read(options.checkpoint))
    look_at_data(config, splits=('test',))
    metrics = evaluate(config, options.checkpoint, options.ema)
    leave_process_group()
    show(metrics)
    if options.out:
        save_json(metrics, options.out)
    return 0
