"""Say what is installed, found and possible here, and what to do about the rest."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('--json', action='store_true', help='print JSON, with nothing left out')
