"""Evaluate a checkpoint, or an exported file, on a config's test data."""

import argparse

from rethink_det.cli.arguments.train import add_common_arguments
from rethink_det.cli.config_options import add_ema, add_force


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('config', help='config file, or package::config')
    parser.add_argument('checkpoint', help='checkpoint to evaluate, or ONNX file of an export')
    parser.add_argument('--work-dir', help='folder of logs')
    parser.add_argument('--out', metavar='JSON', help='also write the metrics to this file')
    parser.add_argument(
        '--show-dir', metavar='DIR', help='draw the objects of every image, found and true, there'
    )
    parser.add_argument('--show', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument(
        '--tta',
        action='store_true',
        help="judge on several views of each image, by the config's tta_model and tta_pipeline; "
        'if it has none, on it and its mirror image',
    )
    add_force(parser)
    add_ema(parser, 'the checkpoint')
    add_common_arguments(parser)
