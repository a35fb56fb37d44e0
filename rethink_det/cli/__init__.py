"""The command line: one module a command; ``tools/*.py`` and ``rethink-det`` are its doors."""

import argparse
import os
import sys
from collections.abc import Sequence

from rethink_det import __version__
from rethink_det.cli import (
    analyze,
    benchmark,
    convert,
    doctor,
    export,
    prune,
    report,
    study,
    test,
    train,
)
from rethink_det.errors import UserError

COMMANDS = {
    'train': train,
    'test': test,
    'prune': prune,
    'convert': convert,
    'export': export,
    'study': study,
    'report': report,
    'analyze': analyze,
    'benchmark': benchmark,
    'doctor': doctor,
}


MISTAKES = (FileNotFoundError, FileExistsError, NotADirectoryError, PermissionError)
"""What a wrong path given to ``--out`` or ``--work-dir`` raises."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 if all went well, 2 for a mistake of the user's.

    Args:
        arguments: Command line without the program's name; default: that of the process.
    """
    # Belt and braces: whatever library calls torch.load, no pickle runs code.
    os.environ.setdefault('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
    except (UserError, *MISTAKES) as error:
        print(f'error: {error}', file=sys.stderr)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='rethink-det',
        description='Does a pruned network owe its quality to its weights or its architecture?',
    )
    parser.add_argument('--version', action='version', version=__version__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name, module in COMMANDS.items():
        summary = module.__doc__.splitlines()[0]
        command = commands.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
