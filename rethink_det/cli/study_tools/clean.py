"""What ``rethink-det study clean`` does."""

import argparse

from rethink_det.report.cleaning import leftovers


def run(options: argparse.Namespace) -> int:
    """Print what can go, and remove it if that is asked for."""
    found = leftovers(options.work_dir)
    print(found.text)
    if options.yes:
        found.remove()
    elif found.files:
        print('Nothing was removed: add --yes to do it.')
    return 0
