"""Why a run of a study is to be done again: code, data, parent or setting; or that it is done."""

import argparse

from rethink_det.study.reasons import why


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study')
    parser.add_argument('name', metavar='run', help='its key, or its folder')


def run(options: argparse.Namespace) -> int:
    """Print the reason."""
    print(why(options.work_dir, options.name).text)
    return 0
