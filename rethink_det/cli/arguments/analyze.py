"""Say what an architecture costs or what it is: by name, JSON file or checkpoint."""

import argparse

from rethink_det.cli.config_options import add_imports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'what', choices=['cost', 'print'], help='parameters and MACs, or the layers'
    )
    parser.add_argument('architecture', help='published name, JSON file or checkpoint')
    parser.add_argument('--json', action='store_true', help='one JSON object')
    parser.add_argument(
        '--input-shape', nargs=3, type=int, metavar=('C', 'H', 'W'), help='count at this input'
    )
    add_imports(parser)
