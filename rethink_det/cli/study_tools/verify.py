"""What ``rethink-det study verify`` does."""

import argparse

from rethink_det.report.verification import verify


def run(options: argparse.Namespace) -> int:
    """Print what was found; 1 if something is not what it was."""
    found = verify(options.work_dir)
    print(found.text)
    return 1 if found.wrong else 0
