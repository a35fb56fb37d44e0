"""Remove from a study's folder what nothing needs: told first, and done with --yes."""

import argparse

from rethink_det.report.cleaning import leftovers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study, which is not running')
    parser.add_argument('--yes', action='store_true', help='remove it; otherwise it is only told')


def run(options: argparse.Namespace) -> int:
    """Print what can go, and remove it if that is asked for."""
    found = leftovers(options.work_dir)
    print(found.text)
    if options.yes:
        found.remove()
    elif found.files:
        print('Nothing was removed: add --yes to do it.')
    return 0
