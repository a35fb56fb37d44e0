"""Ask whether a pruned network beats its own shape trained from scratch."""

import argparse
import os
from pathlib import Path
from typing import Any

from rethink_det.arms import ARMS, CLASSIFICATION, BudgetRule
from rethink_det.cli.config_options import add_arm_settings, add_config_options, add_ema
from rethink_det.cli.study import add_execution, carry_out
from rethink_det.layout import WORK_DIRS
from rethink_det.report.run_graph import Asked
from rethink_det.study.config import Study
from rethink_det.training.config import find_config

_RULES = BudgetRule.BASE, BudgetRule.STRETCHED
OF_THE_SHAPE = [
    arm.name
    for arm in ARMS.of(CLASSIFICATION)
    if arm.pruned and arm.budget in _RULES and (arm.rivals or not arm.takes_weights)
]
"""The arms that train the network's shape without the network that it was pruned from."""
SEEDS = (0, 1, 2)
"""Of the trainings from scratch, if nothing is said."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        'checkpoint',
        help='a pruned and tuned classifier: of this package, or what rethink-det convert reads',
    )
    parser.add_argument(
        '--config', required=True, help='by which its unpruned parent is trained: the base recipe'
    )
    parser.add_argument(
        '--untuned', action='store_true', help='it was not trained since: fine-tune it first'
    )
    add_ema(parser, 'the checkpoint')
    parser.add_argument(
        '--arms',
        nargs='+',
        default=OF_THE_SHAPE,
        metavar='ARM',
        help=f'what is trained in its shape (default: {" ".join(OF_THE_SHAPE)})',
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=SEEDS, metavar='N')
    parser.add_argument(
        '--epochs', type=int, metavar='N', help="of the recipe, in place of the config's"
    )
    parser.add_argument('--work-dir', help='folder of the study; finished runs in it are kept')
    add_execution(parser)
    add_config_options(parser, 'set keys of the config')
    add_arm_settings(parser, 'fine_tune_epochs, fine_tune_lr, scratch_b_cap, rounding, flops')


def run(options: argparse.Namespace) -> int:
    """Plan, execute, report; 1 if a run failed."""
    said = said_by(options)
    study = Study.from_parts(said, Path(options.config))
    work_dir = Path(options.work_dir or Path(WORK_DIRS) / study.name)
    asked = Asked(options.config, parts=said, cwd=os.path.relpath('.', work_dir))
    return carry_out(study, options, work_dir, asked)


def said_by(options: argparse.Namespace) -> dict[str, Any]:
    """What would stand in the config of the study that is asked for."""
    config = find_config(options.config)
    stem = Path(options.checkpoint).stem
    tuned = ARMS.baseline(CLASSIFICATION).name
    plan: dict[str, Any] = {
        'config': config if '::' in config else str(Path(config).resolve()),
        'pruned': os.path.abspath(options.checkpoint),
        'untuned': options.untuned,
        'ema': options.ema,
        'arms': [tuned, *(arm for arm in options.arms if arm != tuned)],
        'epochs': options.epochs,
        'options': options.cfg_options,
        'arm_settings': options.arm_settings,
    }
    return {
        'name': f'{stem}_baseline',
        'title': f'{Path(options.checkpoint).name} against its own shape from scratch',
        'seeds': list(options.seeds),
        'classification': plan,
    }
