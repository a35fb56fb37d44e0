"""``--cfg-options``, as in all of MMEngine's tools, and ``--imports`` where there is no config."""

import argparse
from collections.abc import Sequence
from importlib import import_module

from mmengine.config import DictAction

from rethink_det.errors import UserError, in_one_line


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


def add_imports(parser: argparse.ArgumentParser) -> None:
    """Declare what a command without a config has in the place of ``custom_imports``."""
    parser.add_argument(
        '--imports',
        nargs='+',
        default=(),
        metavar='MODULE',
        help='modules of yours that register networks, as custom_imports in a config: a file may '
        'name what is registered, and no more',
    )


def import_modules(names: Sequence[str]) -> None:
    """Import what ``--imports`` names.

    Raises:
        UserError: A module cannot be imported.
    """
    for name in names:
        try:
            import_module(name)
        except Exception as error:  # a module is a program: anything may go wrong in it
            raise UserError(f'--imports {name}: {in_one_line(error)}') from error


def add_arm_settings(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Declare ``--arm-settings``, the budget of an arm and what else it may be told.

    Args:
        parser: Of the command.
        meaning: What its help says: the settings that make sense there.
    """
    parser.add_argument(
        '--arm-settings',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help=meaning,
    )
