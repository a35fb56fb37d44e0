"""What ``rethink-det pack`` does."""

import argparse

from rethink_det.cli.output import check_output
from rethink_det.detection.prediction.packing import pack


def run(options: argparse.Namespace) -> int:
    """Write the file; say what is in it."""
    check_output(options.out, (options.network, options.config), options.force)
    names = pack(options.network, options.out, options.config)
    print(f'wrote {options.out}: {", ".join(names)}')
    return 0
