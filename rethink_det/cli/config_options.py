"""``--cfg-options``, as in all of MMEngine's tools."""

import argparse

from mmengine.config import DictAction


def add_config_options(
    parser: argparse.ArgumentParser,
    meaning: str = 'set keys of the config, e.g. train_cfg.max_epochs=3',
) -> None:
    """Declare it.

    Args:
        parser: Of the command.
        meaning: What its help says.
    """
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help=meaning,
    )
