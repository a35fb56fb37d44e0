r"""Tables for a paper: one for each (stage, model), which need ``\usepackage{booktabs}``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rethink_det.report.sections import Section
from rethink_det.report.tables import Table

HEAD_WIDTH = 13
"""Characters of a line in the head of a column."""
NO_ROOM = r'seed .*|p, alone|test'
"""Columns of a table of scores that are not shown: the page has them."""
TOGETHER, ALONE = 'all claims together', '|.*CI, alone'
"""Where the intervals hold together, those that do not are not shown either."""
COSTS = r'parameters.*|MACs.*'
"""Columns of the table of costs that are."""
_WRITTEN = {
    '\\': r'\textbackslash{}', '&': r'\&', '%': r'\%', '$': r'\$', '#': r'\#', '_': r'\_',
    '{': r'\{', '}': r'\}', '~': r'\textasciitilde{}', '^': r'\textasciicircum{}',
    '<': r'$<$', '>': r'$>$', '|': r'$|$', '"': r"''", '±': r'$\pm$', '×': r'$\times$',
    '−': '$-$', '–': '--', '·': r'$\cdot$', '²': '$^2$', '…': r'\dots{}', '≤': r'$\le$',
    '≥': r'$\ge$', 'α': r'$\alpha$', '[': '{[}', ']': '{]}',
}  # fmt: skip
_LAST_OF_LATIN = 0xFF


def latex(study: str, sections: Iterable[Section]) -> str:
    """All tables, the verdict of each in its caption.

    Args:
        study: Its name.
        sections: Of the report; those without scores have no table.
    """
    head = [f'% Study {" ".join(study.split())}: tables of its report.', r'% \usepackage{booktabs}']
    return '\n\n'.join(['\n'.join(head), *map(_table, filter(_has_scores, sections))]) + '\n'


def _has_scores(section: Section) -> bool:
    return bool(section.scores)


def _table(section: Section) -> str:
    columns, rows = _joined(section.scores, section.cost)
    caption = f'{escaped(section.title)}. {escaped(section.sentence)}'
    label = re.sub(r'[^A-Za-z0-9]+', '-', section.title).strip('-').lower()
    lines = [
        r'\begin{table}',
        r'  \centering\footnotesize\setlength{\tabcolsep}{2.5pt}',
        rf'  \caption{{{caption}}}',
        rf'  \label{{tab:{label}}}',
        rf'  \begin{{tabular}}{{@{{}}l{"r" * (len(columns) - 1)}@{{}}}}',
        r'    \toprule',
        f'    {_row(map(_head, columns))}',
        r'    \midrule',
        *(f'    {_row(map(escaped, row))}' for row in rows),
        r'    \bottomrule',
        r'  \end{tabular}',
        r'\end{table}',
    ]
    return '\n'.join(lines)


def _joined(scores: Sequence[Table], cost: Table | None) -> tuple[list[str], list[list[str]]]:
    """The first table of scores, mean ± std of the others, and what the arms cost."""
    first, *others = scores
    judged = TOGETHER in first.columns
    parts = [_Part.of(first, NO_ROOM + (ALONE if judged else ''), keep=False)]
    parts += [_Part.of(other, re.escape(other.columns[1])) for other in others]
    parts += [] if cost is None else [_Part.of(cost, COSTS)]
    columns = ['arm', *(name for part in parts for name in part.columns)]
    arms = [row[0] for row in first.rows]
    return columns, [[arm, *(text for part in parts for text in part.of_arm(arm))] for arm in arms]


@dataclass(frozen=True)
class _Part:
    """Some columns of a table, and by arm what stands there."""

    columns: list[str]
    cells: Mapping[str, list[str]]

    @classmethod
    def of(cls, table: Table, names: str, keep: bool = True) -> '_Part':
        """The columns whose names match, or all others; never the first, which names the arm."""
        chosen = [bool(re.fullmatch(names, name)) is keep for name in table.columns]
        places = [i for i, one in enumerate(chosen) if i and one]
        cells = {row[0]: [row[i] for i in places] for row in table.rows}
        return cls([table.columns[i] for i in places], cells)

    def of_arm(self, arm: str) -> list[str]:
        return self.cells.get(arm, ['–'] * len(self.columns))


def _row(cells: Iterable[str]) -> str:
    return ' & '.join(cells) + r' \\'


def _head(name: str) -> str:
    """A column's name, in several lines if it is long."""
    lines = [escaped(line) for line in wrap(name, HEAD_WIDTH)]
    return lines[0] if len(lines) == 1 else r'\shortstack[r]{' + r'\\'.join(lines) + '}'


def escaped(text: str) -> str:
    """``text`` as LaTeX shows it literally; of letters that it has not, the number."""
    return ''.join(map(_character, ' '.join(text.split())))


def _character(one: str) -> str:
    if one in _WRITTEN:
        return _WRITTEN[one]
    if ord(one) > _LAST_OF_LATIN or not one.isprintable():
        return rf'\texttt{{U+{ord(one):04X}}}'
    return one
