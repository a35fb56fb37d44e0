"""What ``rethink-det study`` does."""

import argparse
import os
import sys
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from rethink_det.arms import DETECTION
from rethink_det.bounds import check_count, check_number
from rethink_det.errors import UserError, naming
from rethink_det.layout import REPORT_MARKDOWN, WORK_DIRS
from rethink_det.report.page import write_report
from rethink_det.report.results import StudyResults
from rethink_det.report.run_graph import Asked
from rethink_det.study.config import Study
from rethink_det.study.dry_run import dry_run
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import OnRay, processes
from rethink_det.study.gpus import OnGpus, visible_gpus
from rethink_det.study.latencies import measure_latencies
from rethink_det.study.shared_runs import SharedRuns
from rethink_det.study.slurm import OnSlurm
from rethink_det.study.startable import check_startable
from rethink_det.study.together import computed, most_together


def run(options: argparse.Namespace) -> int:
    """Plan, execute, report; 1 if a run failed."""
    seeds = {} if options.seeds is None else {'study.seeds': options.seeds}
    said = {**options.cfg_options, **seeds}
    study = Study.load(options.study, said, options.variants)
    work_dir = Path(options.work_dir or Path(WORK_DIRS) / study.name)
    asked = Asked(options.study, said, tuple(options.variants), cwd=os.path.relpath('.', work_dir))
    return carry_out(study, options, work_dir, asked)


def carry_out(study: Study, options: argparse.Namespace, work_dir: Path, asked: Asked) -> int:
    """Execute a study and report it, or print its plan.

    Args:
        study: What to do.
        options: Those of :func:`rethink_det.cli.arguments.study.add_execution`.
        work_dir: Folder of the study.
        asked: How the study was asked for.

    Returns:
        1 if a run failed.
    """
    for name in ('workers', 'runs_per_gpu'):
        number = getattr(options, name)
        if number is not None and number < 1:
            raise UserError(f'--{name.replace("_", "-")} must be at least 1, got {number}.')
    check_count('--retries', options.retries, 0)
    check_number('--stall-minutes', options.stall_minutes, 0)
    shared = None if options.share is None else SharedRuns.of(options.share, options.dry_run)
    together = most_together(options.together, work_dir)
    study, asked = computed(study, together > 1), replace(asked, together=together > 1)
    with naming(asked.config if asked else study.name):
        if options.dry_run:
            print(dry_run(study, work_dir, shared))
            return 0
        check_startable(study)
    executor, workers = _executor(options, work_dir)
    patience = options.retries, options.stall_minutes
    results = execute_study(study, work_dir, executor, workers, *patience, asked, shared, together)
    if any(run.stage == DETECTION for run in results.runs) and not results.incomplete:
        print('Measuring the detectors side by side ...')
        measure_latencies(StudyResults.read(work_dir), work_dir)
    written = write_report(work_dir)
    print((work_dir / REPORT_MARKDOWN).read_text())
    print(f'The same with plots: {written["html"]}')
    if results.incomplete:
        print(f'{len(results.incomplete)} runs have no result; see the report.')
        return 1
    return 0


def _executor(options: argparse.Namespace, work_dir: Path) -> tuple[Executor, int]:
    """Where runs are executed, and how many at a time."""
    packed = options.runs_per_gpu
    if options.slurm is not None:
        if options.ray or packed:
            other = '--ray' if options.ray else '--runs-per-gpu'
            raise UserError(f'--slurm and {other}: name one place where runs are trained.')
        return OnSlurm(work_dir, options.slurm), options.workers or sys.maxsize
    asked = options.workers or 1
    if not options.ray and not packed:
        return processes(asked), asked
    executor: OnRay | OnGpus = (
        OnRay(options.ray, runs_per_gpu=packed) if options.ray else OnGpus(visible_gpus(), packed)
    )
    most = executor.slots if packed else asked
    return executor, min(options.workers or most, most)
