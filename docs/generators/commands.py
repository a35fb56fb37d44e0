"""The page of the commands: what each says of itself with ``--help``."""

import os
from contextlib import redirect_stdout, suppress
from io import StringIO
from unittest.mock import patch

from rethink_det.cli import COMMANDS, main
from rethink_det.cli.study_tools import TOOLS

PAGE = 'commands.md'
INTRODUCTION = """# Commands

`rethink-det COMMAND`, or `python tools/COMMAND.py`; each tells with `--help` what stands here.
"""


def pages() -> dict[str, str]:
    """The page, by its path."""
    names = [*COMMANDS, *(f'study {word}' for word in TOOLS)]
    said = {**COMMANDS, **{f'study {word}': summary for word, summary in TOOLS.items()}}
    parts = [f'## {name}\n\n{said[name]}\n\n```text\n{help_of(name)}```\n' for name in names]
    return {PAGE: '\n'.join([INTRODUCTION, *parts])}


def help_of(name: str) -> str:
    """What a command prints with ``--help``.

    Args:
        name: Its words, ``'study why'``.

    Raises:
        ValueError: There is no such command.
    """
    told = StringIO()
    with patch.dict(os.environ, COLUMNS='96'), redirect_stdout(told), suppress(SystemExit):
        main([*name.split(), '--help'])
    if not told.getvalue():
        raise ValueError(f'{name!r} printed no help')
    return told.getvalue()
