"""What a study is at: done, running, waiting, failed; and how long the rest takes."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study, which may be running')
    parser.add_argument('--json', action='store_true', help='the same for other programs')
