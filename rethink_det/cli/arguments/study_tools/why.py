"""Why a run of a study is to be done again: code, data, parent or setting; or that it is done."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study')
    parser.add_argument('name', metavar='run', help='its key, or its folder')
