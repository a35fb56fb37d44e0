"""Write the report of a study again from its results.json."""

import argparse

from rethink_det.report.page import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of a study')


def run(options: argparse.Namespace) -> int:
    """Write report.md, .csv, .html and plots/."""
    for path in write_report(options.work_dir).values():
        print(path)
    return 0
