"""Tables and texts as Markdown."""

from rethink_det.report.tables import Table


def markdown_table(table: Table) -> list[str]:
    """Blocks: title, table, and the note if there is one."""
    lines = [table.columns, ['---'] * len(table.columns), *table.rows]
    body = '\n'.join(f'| {" | ".join(map(cell, line))} |' for line in lines)
    if table.folded:
        body = f'<details><summary>Show</summary>\n\n{body}\n\n</details>'
    return [f'### {table.title}', body] + ([table.note] if table.note else [])


def cell(text: str) -> str:
    """``text`` on one line of Markdown, with nothing that ends a cell or starts HTML."""
    return ' '.join(text.split()).replace('|', r'\|').replace('<', '&lt;')
