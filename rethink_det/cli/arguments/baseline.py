"""Ask whether a pruned network beats its own shape trained from scratch."""

import argparse

from rethink_det.arms import ARMS, CLASSIFICATION, BudgetRule
from rethink_det.cli.arguments.study import add_execution
from rethink_det.cli.config_options import add_arm_settings, add_config_options, add_ema

_RULES = BudgetRule.BASE, BudgetRule.STRETCHED
OF_THE_SHAPE = [
    arm.name
    for arm in ARMS.of(CLASSIFICATION)
    if arm.pruned and arm.budget in _RULES and (arm.rivals or not arm.takes_weights)
]
"""The arms that train the network's shape without the network that it was pruned from."""
SEEDS = (0, 1, 2)
"""Of the trainings from scratch."""


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
    parser.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        default=SEEDS,
        metavar='N',
        help=f'of the trainings from scratch (default: {" ".join(map(str, SEEDS))})',
    )
    parser.add_argument(
        '--epochs', type=int, metavar='N', help="of the recipe, in place of the config's"
    )
    parser.add_argument('--work-dir', help='folder of the study; finished runs in it are kept')
    add_execution(parser)
    add_config_options(parser, 'set keys of the config')
    add_arm_settings(parser, 'fine_tune_epochs, fine_tune_lr, scratch_b_cap, rounding, flops')
