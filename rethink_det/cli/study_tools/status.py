"""What ``rethink-det study status`` does."""

import argparse
import json

from rethink_det.report.study_status import status_of


def run(options: argparse.Namespace) -> int:
    """Print what every run is at."""
    status = status_of(options.work_dir)
    print(json.dumps(status.to_dict(), indent=1) if options.json else status.text)
    return 0
