"""Look at data, model and weights as a training would start, and do one step of it.

What ``train`` refuses is refused here, too; then the data is described, a batch is drawn as the
network is handed it, and one step and an evaluation of a few images are done. Exit status 0: a
training can start.
"""

import argparse

from rethink_det.cli.arguments.train import add_model_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_model_arguments(parser)
    parser.add_argument(
        '--no-step', action='store_true', help='look at files alone: no step, no picture'
    )
