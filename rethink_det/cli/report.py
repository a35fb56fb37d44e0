"""What ``rethink-det report`` does."""

import argparse
from importlib import import_module
from pathlib import Path

from rethink_det.errors import UserError
from rethink_det.report.page import write_report
from rethink_det.report.results import StudyResults
from rethink_det.report.two_studies import compare_studies


def run(options: argparse.Namespace) -> int:
    """Write report.md, .csv, .tex, .html and plots/; of two studies, print what differs."""
    folders = options.work_dir
    if len(folders) > 2:
        raise UserError(f'report takes one study, or two to compare; got {len(folders)} folders.')
    if options.latency and len(folders) > 1:
        raise UserError('--latency is for one study: measure each by itself.')
    if len(folders) == 2:
        both = compare_studies(*folders)
        print(both.markdown)
        written = both.write(options.out) if options.out else {}
    elif options.out:
        raise UserError('--out is for two studies; the report of one lies beside its results.')
    else:
        if options.latency:
            _measure(Path(folders[0]))
        written = write_report(*folders)
    for path in written.values():
        print(path)
    return 0


def _measure(folder: Path) -> None:
    """Let the detectors of a study look at images in turns."""
    results = StudyResults.read(folder)
    latencies = import_module('rethink_det.study.latencies')  # without it a report needs no torch
    if not latencies.measure_latencies(results, folder):
        raise UserError(f'{folder} has no trained detector whose latency could be measured.')
