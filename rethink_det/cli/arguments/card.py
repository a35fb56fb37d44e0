"""Write the model card of a checkpoint: what it is, where from, how it is loaded."""

import argparse

from rethink_det.cli.config_options import add_force


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('checkpoint', help='of a trained or pruned network')
    parser.add_argument('-o', '--out', metavar='MD', help='file; default: it is printed')
    add_force(parser)
