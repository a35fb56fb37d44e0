"""Train a classifier or a detector from a config, as mmdet's tools/train.py does."""

import argparse

from rethink_det.arms import ARMS, STAGES
from rethink_det.cli.config_options import add_arm_settings, add_config_options, add_ema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_model_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from the last checkpoint in the work dir, or from CHECKPOINT',
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``train`` and ``check`` share: all that says what is trained, and on what."""
    parser.add_argument('config', help='config file, or package::config')
    parser.add_argument('--work-dir', help='folder of logs and checkpoints')
    parser.add_argument(
        '--backbone',
        metavar='CHECKPOINT_OR_ARCH',
        help="give the model this backbone: a classifier's checkpoint, or an architecture where "
        'the arm takes no weights',
    )
    parser.add_argument(
        '--arm',
        metavar='ARM',
        help='arm of --backbone, of a classifier or of a detector: see below',
    )
    add_arm_settings(
        parser,
        'epochs, or schedule (2.4 times those of the arm, or by the rule of another arm); of a '
        "classifier's arm: fine_tune_epochs, fine_tune_lr, scratch_b_cap, scratch_b_epochs, "
        "rounding, flops; of a detector's: schedule (random alone: 2x to 6x), budget (compute: "
        'that of the unpruned one), sync_bn, untuned (take a network that was pruned and not '
        'fine-tuned)',
    )
    parser.add_argument(
        '--load-partial',
        action='store_true',
        help='of load_from take what fits the model; the rest is drawn at random',
    )
    add_ema(parser, 'load_from or --backbone')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--seed', type=int, metavar='N', help='randomness.seed of the config')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='learning rate for the batch of all processes, by the auto_scale_lr of the config',
    )
    add_common_arguments(parser)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = '\n\n'.join(_listed(stage) for stage in STAGES)


def _listed(stage: str) -> str:
    """The arms of a stage, a line each."""
    arms = ARMS.of(stage)
    width = max(len(arm.name) for arm in arms)
    lines = [f'  {arm.name:{width}}  {arm.meaning}' for arm in arms]
    return '\n'.join([f'arms of {stage}:', *lines])


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``train`` and ``test`` share."""
    add_config_options(parser)
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help="a detector's data: any folder with annotations of COCO, YOLO or VOC, as labelling "
        'tools export them, the classes read from them; '
        "a segmenter's: any folder of pictures and maps of class numbers",
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes of a training on several devices (default: none)',
    )
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help='set by a launcher',
    )
