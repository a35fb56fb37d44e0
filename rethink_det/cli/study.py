"""Run a study: every arm and seed that is missing, then the report."""

import argparse
import os
import sys
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from rethink_det.arms import DETECTION
from rethink_det.bounds import check_count, check_number
from rethink_det.cli.config_options import KeyValues, add_config_options
from rethink_det.cli.study_tools import TOOLS
from rethink_det.errors import UserError, naming
from rethink_det.layout import REPORT_MARKDOWN, WORK_DIRS
from rethink_det.report.page import write_report
from rethink_det.report.results import StudyResults
from rethink_det.report.run_graph import Asked
from rethink_det.study.config import Study
from rethink_det.study.dry_run import dry_run
from rethink_det.study.execute import RETRIES, execute_study
from rethink_det.study.executors import OnRay, processes
from rethink_det.study.gpus import OnGpus, visible_gpus
from rethink_det.study.latencies import measure_latencies
from rethink_det.study.shared_runs import SharedRuns
from rethink_det.study.slurm import OnSlurm
from rethink_det.study.startable import check_startable
from rethink_det.study.together import AUTO, USUAL, computed, most_together
from rethink_det.study.watchdog import MINUTES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    tools = '; '.join(f'study {word}: {summary}' for word, summary in TOOLS.items())
    parser.epilog = f'Of a folder that a study has filled: {tools}'
    parser.add_argument(
        'study',
        help='study config, or the name of a shipped one: demo, paper/cifar10_resnet56; with '
        'a variant in it, that variant alone: paper/cifar10_resnet56_l1norm-a',
    )
    parser.add_argument('--work-dir', help='folder of the study; finished runs in it are kept')
    parser.add_argument(
        '--seeds', type=int, nargs='+', metavar='N', help="these seeds instead of the study's"
    )
    parser.add_argument(
        '--variants',
        nargs='+',
        default=(),
        metavar='NAME',
        help='only these ways to prune the parent; the others stay as they are in the folder',
    )
    add_execution(parser)
    add_config_options(parser, 'set keys of the study, e.g. study.seeds=[0,1,2]')


def add_execution(parser: argparse.ArgumentParser) -> None:
    """Declare where and how runs are executed, for every command that executes a study."""
    parser.add_argument('--dry-run', action='store_true', help='print the plan and stop')
    parser.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='train N runs side by side (default: 1; with --runs-per-gpu, as many as fit)',
    )
    parser.add_argument(
        '--together',
        default=AUTO,
        metavar=f'{AUTO}|N',
        help='compute at most N trainings of one shape together, as one network in one process; 1: '
        f'each alone. Runs computed one way are not those of the other. {AUTO}: as the finished '
        'runs of the folder were computed, else alone on a CPU and on a GPU together as many as '
        f'fit into its memory, {USUAL} at most (default: {AUTO})',
    )
    parser.add_argument(
        '--retries',
        type=int,
        default=RETRIES,
        metavar='N',
        help=f'hand a run out again N times if its process dies (default: {RETRIES})',
    )
    parser.add_argument(
        '--stall-minutes',
        type=float,
        default=MINUTES,
        metavar='N',
        help='end a run in whose folder no file changes for N minutes, and count it as one whose '
        f'process died; 0: never (default: {MINUTES:g})',
    )
    parser.add_argument(
        '--runs-per-gpu',
        type=int,
        metavar='N',
        help='pack N small runs on each GPU, of this machine or of the Ray cluster. Decoded CIFAR '
        'and image folders are in main memory once for all of them; GPU memory is not shared: if '
        'it runs out, start again with a smaller N, which keeps the finished runs',
    )
    parser.add_argument(
        '--ray',
        metavar='ADDRESS',
        help="train on a Ray cluster ('auto', 'local', HOST:PORT); without --runs-per-gpu, runs "
        'take no GPU there',
    )
    parser.add_argument(
        '--share',
        metavar='DIR',
        help='put finished runs there as well, and take from there what another study has done: '
        'the same recipe has the same result. Files are linked, not copied, where that is possible',
    )
    parser.add_argument(
        '--slurm',
        nargs='*',
        action=KeyValues,
        metavar='KEY=VALUE',
        help='train as jobs of a Slurm cluster, those that are ready as one job array, with '
        "submitit's options (timeout_min=600 gpus_per_node=1) and Slurm's (partition=gpu); "
        'without --workers, all that are ready. cluster=local: as processes of this machine',
    )


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
        options: Those of :func:`add_execution`.
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
