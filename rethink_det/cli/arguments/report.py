"""Write a study's report again from its results.json, or put two side by side."""

import argparse

from rethink_det.layout import COMPARISON_HTML, COMPARISON_MARKDOWN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'work_dir', nargs='+', help='folder of a study; of two, they are compared and shown here'
    )
    parser.add_argument(
        '--out',
        metavar='FOLDER',
        help=f'of two studies: write {COMPARISON_MARKDOWN} and {COMPARISON_HTML} there, too',
    )
    parser.add_argument(
        '--latency',
        action='store_true',
        help='of one study: measure its detectors side by side first, seconds for each',
    )
