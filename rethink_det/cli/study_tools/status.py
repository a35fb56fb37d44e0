"""What a study is at: done, running, waiting, failed; and how long the rest takes."""

import argparse
import json

from rethink_det.report.study_status import status_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument('work_dir', help='folder of the study, which may be running')
    parser.add_argument('--json', action='store_true', help='the same for other programs')


def run(options: argparse.Namespace) -> int:
    """Print what every run is at."""
    status = status_of(options.work_dir)
    print(json.dumps(status.to_dict(), indent=1) if options.json else status.text)
    return 0
