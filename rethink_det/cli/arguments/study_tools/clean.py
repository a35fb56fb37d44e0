"""Remove from a study's folder what nothing needs: told first, and done with --yes."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study, which is not running')
    parser.add_argument('--yes', action='store_true', help='remove it; otherwise it is only told')
