"""What ``rethink-det study why`` does."""

import argparse

from rethink_det.study.reasons import why


def run(options: argparse.Namespace) -> int:
    """Print the reason."""
    print(why(options.work_dir, options.name).text)
    return 0
