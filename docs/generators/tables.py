"""Tables in Markdown."""

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r'(`[^`]*`)')


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is written so that it does not.

    Args:
        head: Titles of the columns.
        rows: Cells, in Markdown.
    """
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(map(_cell, line)) + ' |' for line in lines) + '\n'


def _cell(text: str) -> str:
    """One line of it; within code a bar ends no cell, and a backslash would be seen."""
    parts = _CODE.split(' '.join(text.split()))
    return ''.join(part if part[:1] == '`' else part.replace('|', '\\|') for part in parts)
