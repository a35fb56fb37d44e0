"""Check a study's folder: is every finished run still what it left?"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study')
