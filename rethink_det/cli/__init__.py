"""The command line: two modules a command; ``tools/*.py`` and ``rethink-det`` are its doors.

What a command may be told is in :mod:`rethink_det.cli.arguments` and costs nothing; what it does,
with all libraries that it needs, is imported when its arguments are understood.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from rethink_det import __version__
from rethink_det.cli.study_tools import TOOLS
from rethink_det.compat import quiet
from rethink_det.errors import UserError, refused_by_system
from rethink_det.packages import is_library_name

__all__ = ['COMMANDS', 'main']

COMMANDS = {
    'train': "Train a classifier or a detector from a config, as mmdet's tools/train.py does.",
    'check': 'Look at data, model and weights as a training would start, and do one step of it.',
    'test': "Evaluate a checkpoint, or an exported file, on a config's test data.",
    'predict': 'Draw what a trained or exported network finds on pictures; two side by side.',
    'prune': 'Prune a trained network: checkpoint in, self-describing pruned checkpoint out.',
    'convert': 'Convert a checkpoint of another tool: foreign weights in, self-describing out.',
    'export': 'Export a trained network: ONNX, torch, timm, mmdet; compared before it is written.',
    'init': "Write a commented study config for one's own data and backbone, ready to run.",
    'study': 'Run a study: every arm and seed that is missing, then the report.',
    'baseline': 'Ask whether a pruned network beats its own shape trained from scratch.',
    'report': "Write a study's report again from its results.json, or put two side by side.",
    'analyze': 'Say what an architecture costs or what it is: by name, JSON file or checkpoint.',
    'pack': 'Put one run into a zip file: checkpoint, config and card.',
    'card': 'Write the model card of a checkpoint: what it is, where from, how it is loaded.',
    'benchmark': "Measure what this package's own parts cost, each beside its plain counterpart.",
    'sweep': 'Ask the same of many: what a pruner leaves of each, which detectors take one.',
    'doctor': 'Say what is installed, found and possible here, and what to do about the rest.',
}
"""What each command does; its modules have its name, that of its arguments says more."""


VERBOSE_OPTION = '--verbose'
THIRD_PARTIES = ('torch', 'mmengine', 'mmcv', 'mmdet', 'mmseg', 'mmpretrain', 'timm')
"""Whose announcements of what is going to change are not for the user of a command."""
_MARKS = ('.', ',', ':', ';', '(')
"""What may stand at the end of a line and needs no other mark."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 if all went well, 2 for a mistake of the user's.

    Args:
        arguments: Command line without the program's name; default: that of the process.
    """
    # Belt and braces: whatever library calls torch.load, no pickle runs code.
    os.environ.setdefault('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    logging.raiseExceptions = False  # a log that cannot be written is no traceback on the screen
    for stream in (sys.stdout, sys.stderr):  # names of files may be no UTF-8
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    arguments = sys.argv[1:] if arguments is None else arguments
    _set_noise(arguments)
    options = _options(arguments)
    try:
        _fetch(options)
        status = import_module(options.module).run(options)
    except UserError as error:
        print(f'error: {_line(error)}', file=sys.stderr)
        status = error.status
    except BrokenPipeError:  # whoever read what is printed has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:
        print(f'error: {_line(refused_by_system(error))}', file=sys.stderr)
        status = 2
    except KeyError as error:
        if 'is not in the' not in str(error):  # MMEngine's words for an unknown type
            raise
        print(f'error: unknown type in the config: {error.args[0]}', file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print('interrupted; the same command continues where it stopped', file=sys.stderr)
        status = 130
    sys.exit(status)


def _set_noise(arguments: Sequence[str]) -> None:
    """Keep third parties' deprecations, configs and hooks off the screen unless they are asked for.

    Here, as some are printed by imports; by the environment, as processes of its own print, too.
    """
    if VERBOSE_OPTION in arguments:
        os.environ[quiet.VERBOSE] = '1'
    if not quiet.is_verbose():
        for package in THIRD_PARTIES:
            warnings.filterwarnings('ignore', category=FutureWarning, module=package)


def _line(message: object) -> str:
    """A message in one line, whatever stands in the names that it gives or in errors that it cites.

    Where one of its lines ended without a mark, a semicolon says so.
    """
    lines = [line.strip() for line in f'{message}'.splitlines() if line.strip()]
    marked = [line if line.endswith(_MARKS) else f'{line};' for line in lines[:-1]]
    return ' '.join([*marked, *lines[-1:]])


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked for, and in ``module`` who does it."""
    match arguments:
        case ['study', word, *others] if word in TOOLS:
            return _tool_parser(word).parse_args(others)
    return _parser(_called(arguments)).parse_args(arguments)


def _fetch(options: argparse.Namespace) -> None:
    """Put the file of ``timm:NAME`` and ``torchvision:NAME`` wherever one is named, in place.

    Raises:
        UserError: There are no such weights, or they cannot be had.
    """
    for place in (vars(options), getattr(options, 'cfg_options', {})):
        for key, value in place.items():
            if key not in ('out', 'work_dir') and is_library_name(value):
                weights = import_module('rethink_det.convert.library_weights')
                place[key] = weights.library_checkpoint(value)


def _called(arguments: Sequence[str]) -> str | None:
    """The command that a command line begins with, if it is one."""
    first = next((word for word in arguments if not word.startswith('-')), None)
    return first if first in COMMANDS else None


def _parser(called: str | None) -> argparse.ArgumentParser:
    """Knows all commands by name, and the arguments of the one that is called."""
    parser = argparse.ArgumentParser(
        prog='rethink-det',
        description='Does a pruned network owe its quality to its weights or its architecture?',
    )
    parser.add_argument('--version', action='version', version=__version__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name == called:
            _fill(command, name)
    return parser


def _tool_parser(word: str) -> argparse.ArgumentParser:
    """Knows the arguments of ``rethink-det study WORD``."""
    parser = argparse.ArgumentParser(prog=f'rethink-det study {word}')
    _fill(parser, f'study_tools.{word}')
    return parser


def _fill(parser: argparse.ArgumentParser, name: str) -> None:
    """Let a parser know what a command declares, and where it is done."""
    declared = import_module(f'{__name__}.arguments.{name}')
    parser.description = declared.__doc__
    declared.add_arguments(parser)
    parser.add_argument(
        VERBOSE_OPTION,
        action='store_true',
        help='print all: system, config, hooks, deprecations of third parties',
    )
    parser.set_defaults(module=f'{__name__}.{name}')
