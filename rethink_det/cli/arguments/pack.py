"""Put one run into a zip file: checkpoint, config and card."""

import argparse

from rethink_det.cli.config_options import add_force


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('network', help='checkpoint, or work dir of a training')
    parser.add_argument('-o', '--out', required=True, metavar='ZIP', help='the file')
    parser.add_argument('--config', help='that trained it, if it does not lie beside it')
    add_force(parser)
