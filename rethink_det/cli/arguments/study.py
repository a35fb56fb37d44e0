"""Run a study: every arm and seed that is missing, then the report."""

import argparse

from rethink_det.cli.config_options import KeyValues, add_config_options
from rethink_det.cli.study_tools import TOOLS
from rethink_det.defaults import AUTO, MEMBERS, RETRIES, STALL_MINUTES


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
        f'fit into its memory, {MEMBERS} at most (default: {AUTO})',
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
        default=STALL_MINUTES,
        metavar='N',
        help='end a run in whose folder no file changes for N minutes, and count it as one whose '
        f'process died; 0: never (default: {STALL_MINUTES:g})',
    )
    _add_places(parser)


def _add_places(parser: argparse.ArgumentParser) -> None:
    """Declare on which devices and machines, and with whom finished runs are shared."""
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
