"""Write a commented study config for one's own data and backbone, ready to run."""

import argparse

from rethink_det.cli.config_options import add_force
from rethink_det.defaults import DETECTOR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        '--data',
        required=True,
        metavar='DIR',
        help='folder of pictures and labels, see train --data-root',
    )
    parser.add_argument(
        '--backbone', required=True, metavar='CHECKPOINT', help='trained classifier, see convert'
    )
    parser.add_argument(
        '--detector', default=DETECTOR, metavar='CONFIG', help=f'default: {DETECTOR}'
    )
    parser.add_argument('-o', '--out', default='study.py', metavar='PY', help='default: study.py')
    add_force(parser)
