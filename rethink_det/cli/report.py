"""Write a study's report again from its results.json, or put two side by side."""

import argparse

from rethink_det.errors import UserError
from rethink_det.layout import COMPARISON_HTML, COMPARISON_MARKDOWN
from rethink_det.report.page import write_report
from rethink_det.report.two_studies import compare_studies


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


def run(options: argparse.Namespace) -> int:
    """Write report.md, .csv, .tex, .html and plots/; of two studies, print what differs."""
    folders = options.work_dir
    if len(folders) > 2:
        raise UserError(f'report takes one study, or two to compare; got {len(folders)} folders.')
    if len(folders) == 2:
        both = compare_studies(*folders)
        print(both.markdown)
        written = both.write(options.out) if options.out else {}
    elif options.out:
        raise UserError('--out is for two studies; the report of one lies beside its results.')
    else:
        written = write_report(*folders)
    for path in written.values():
        print(path)
    return 0
