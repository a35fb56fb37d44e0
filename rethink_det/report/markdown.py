"""Tables and texts as Markdown: what stands in a result is text, whatever is in it."""

import re

from rethink_det.report.tables import Table


def markdown_table(table: Table) -> list[str]:
    """Blocks: title, table, and the note if there is one."""
    lines = [table.columns, ['---'] * len(table.columns), *table.rows]
    body = '\n'.join(f'| {" | ".join(map(cell, line))} |' for line in lines)
    if table.folded:
        body = f'<details><summary>Show</summary>\n\n{body}\n\n</details>'
    return [f'### {cell(table.title)}', body] + ([prose(table.note)] if table.note else [])


def cell(text: str) -> str:
    """``text`` on one line of Markdown, with nothing that ends a cell, starts HTML or is a link."""
    shown = ''.join(c if c.isprintable() else '\N{REPLACEMENT CHARACTER}' for c in _one_line(text))
    return shown.replace('|', r'\|').replace('<', '&lt;').replace('](', r']\(')


def prose(text: str) -> str:
    """Somebody's words, of several lines: lists stay, and no line is a heading or a link."""
    return '\n'.join(_BLOCK.sub(r'\\\1', cell(line)) for line in text.splitlines())


_BLOCK = re.compile(r'^(#|>|=|&gt;|---|\*\*\*|___|~~~|```|\[)')
"""What makes a line of Markdown a heading, a rule, a quotation, code or the target of links."""


def _one_line(text: str) -> str:
    return ' '.join(text.split())
