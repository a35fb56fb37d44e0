"""What pages show: blocks of code, the file that one is, the reason why one is not run."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOWN = {'bash', 'python'}
"""Kinds of blocks that are run."""
_BLOCK = re.compile(
    r'(?:^<!-- not run: (?P<reason>[^\n]+?) -->\n)?'
    r'^```(?P<kind>\w*)(?: title="(?P<title>[^"\n]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Attributes:
        page: Its file, from the repository's root.
        line: Where it begins.
        kind: The word behind the fence.
        title: The file that it is, if it is one.
        reason: Why it is not run, if it is not.
        text: What stands in it.
    """

    page: str
    line: int
    kind: str
    title: str
    reason: str
    text: str

    @property
    def lines(self):
        """Command lines, as their words; comments go."""
        joined = self.text.replace('\\\n', ' ').splitlines()
        words = [shlex.split(line, comments=True) for line in joined]
        return [one for one in words if one]

    @property
    def commands(self):
        """The lines of this package's own command, without its name."""
        if self.kind != 'bash':
            return []
        return [words[1:] for words in self.lines if words[0] == 'rethink-det']


def pages():
    """All that a reader is shown code in."""
    written = [file for file in ROOT.glob('*.md') if file.name != 'CHANGELOG.md']
    return sorted([*written, *(ROOT / 'docs').rglob('*.md')])


def blocks(file):
    """The blocks of a page.

    Raises:
        ValueError: A fence is not closed, has no kind, or is written in another way.
    """
    text, page = file.read_text(), file.relative_to(ROOT).as_posix()
    found = [
        Block(page, text.count('\n', 0, match.start()) + 1, **match.groupdict(''))
        for match in _BLOCK.finditer(text)
    ]
    if text.count('\n```') != 2 * len(found) or not all(one.kind for one in found):
        raise ValueError(f'{page}: a fence has no kind, or is not at the beginning of a line')
    return found
