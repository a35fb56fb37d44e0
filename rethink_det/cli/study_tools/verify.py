"""Check a study's folder: is every finished run still what it left?"""

import argparse

from rethink_det.report.verification import verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study')


def run(options: argparse.Namespace) -> int:
    """Print what was found; 1 if something is not what it was."""
    found = verify(options.work_dir)
    print(found.text)
    return 1 if found.wrong else 0
