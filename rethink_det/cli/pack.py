"""Put one run into a zip file: checkpoint, config and card."""

import argparse

from rethink_det.cli.output import add_force, check_output
from rethink_det.detection.prediction.packing import pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('network', help='checkpoint, or work dir of a training')
    parser.add_argument('-o', '--out', required=True, metavar='ZIP', help='the file')
    parser.add_argument('--config', help='that trained it, if it does not lie beside it')
    add_force(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file; say what is in it."""
    check_output(options.out, (options.network, options.config), options.force)
    names = pack(options.network, options.out, options.config)
    print(f'wrote {options.out}: {", ".join(names)}')
    return 0
