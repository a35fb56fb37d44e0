"""Options of several commands: ``--cfg-options``, as in all of MMEngine's tools, and others."""

import argparse
import ast
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from rethink_det.errors import UserError, in_one_line


class KeyValues(argparse.Action):
    """KEY=VALUE as MMEngine's tools read them, and Python's dicts: ``ratios={'layer1.*': 0.3}``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add them to those of the same option.

        Raises:
            argparse.ArgumentError: One cannot be read, or is no KEY=VALUE.
        """
        for text in values:
            if '=' not in text:
                raise argparse.ArgumentError(self, f'{text!r} is not KEY=VALUE')
        said = dict(getattr(namespace, self.dest, None) or {})
        for key, _, value in (text.partition('=') for text in values):
            try:
                said[key] = _read(value)
            except (ValueError, AssertionError) as error:  # MMEngine asserts that brackets match
                raise argparse.ArgumentError(self, str(error)) from None
        setattr(namespace, self.dest, said)


def _read(value: str) -> Any:
    if '{' not in value:
        from mmengine.config import DictAction  # here, as --help needs nothing of MMEngine

        return _respaced(DictAction._parse_iterable(_INNER_SPACE.sub(_SPACE, value)))
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(
            f'{value} is no Python dict of plain values; quoted for a shell it looks like this: '
            """ratios="{'layer1.*': 0.3}"."""
        ) from None


_SPACE = '\ue000'
"""Stands for a space while MMEngine reads a value, all of whose spaces it takes out."""
_INNER_SPACE = re.compile(r'(?<=[^\s,()\[\]]) (?=[^\s,()\[\]])')


def _respaced(value: Any) -> Any:
    """A value with the spaces inside of its texts: ``traffic light``."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_respaced, value))
    return value.replace(_SPACE, ' ') if isinstance(value, str) else value


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
        action=KeyValues,
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
        action=KeyValues,
        default={},
        metavar='KEY=VALUE',
        help=meaning,
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """Declare ``--force``, which every command has that writes a file."""
    parser.add_argument(
        '--force',
        action='store_true',
        help='write over a file that is there and that this package did not write',
    )


def add_ema(parser: argparse.ArgumentParser, of: str) -> None:
    """Declare ``--ema``, which every command has that reads weights.

    Args:
        parser: Of the command.
        of: What it calls the file.
    """
    parser.add_argument(
        '--ema',
        action='store_true',
        help=f'of {of} take the weights that were averaged over the training (EMA)',
    )
