"""Tables for a paper: TeX takes them as they are, and nothing in them is a command."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.report.latex import escaped, latex
from rethink_det.report.page import write_report
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import RunResult
from rethink_det.report.sections import Section
from rethink_det.report.tables import Table
from tests.report.rows import classification

HOSTILE = r'\input{/etc/passwd} 50 % & $x_1^2$ #1 {a} ~ <b> | "q" ± × − – … [x] 中'
DOCUMENT = r"""\documentclass{article}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{booktabs}
\begin{document}
\input{%s}
\end{document}
"""


def section(
    *rows, title='Classification · net', columns=('arm', 'Top-1, %', 'n', 'seed 0', 'p, alone')
):
    score = Table('Top-1', list(columns), [list(row) for row in rows])
    return Section(title, 'It is 5 % better.', 'weights', [score], scores=[score])


def rows_of(text):
    """The cells of a table's rows, those of its head first."""
    lines = re.findall(r'^ +(.* & .*) \\\\$', text, flags=re.MULTILINE)
    return [re.split(r'(?<!\\) & ', line) for line in lines]


def compiled(tmp_path, tables):
    """What TeX prints of a document with these tables; fails if it cannot."""
    if shutil.which('pdflatex') is None:
        pytest.skip('no pdflatex: install texlive-latex-base')
    (tmp_path / 'tables.tex').write_text(tables, encoding='utf-8')
    (tmp_path / 'paper.tex').write_text(DOCUMENT % 'tables')
    command = ['pdflatex', '-interaction=nonstopmode', '-halt-on-error', 'paper.tex']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / 'paper.pdf').stat().st_size > 1000
    return done.stdout


def test_a_table_has_every_arm_and_no_columns_for_which_a_page_has_no_room():
    text = latex('s', [section(('fine-tune', '93.1 ± 0.2', '3', '93', '0.1'))])
    head, row = rows_of(text)
    assert head == ['arm', r'Top-1, \%', 'n']
    assert row == ['fine-tune', r'93.1 $\pm$ 0.2', '3']
    assert r'\caption{Classification $\cdot$ net. It is 5 \% better.}' in text
    assert [text.count(rf'\{rule}rule') for rule in ('top', 'mid', 'bottom')] == [1, 1, 1]


def test_further_metrics_and_costs_stand_beside_the_first():
    box = Table('Box AP', ['arm', 'Box AP', 'n'], [['random', '30.0', '1'], ['prune-c', '31', '1']])
    mask = Table('Mask AP', ['arm', 'Mask AP', 'n'], [['prune-c', '28', '1']])
    cost = Table('Cost', ['arm', 'parameters', 'published'], [['random', '2 M', '3']])
    one = Section('Detection', '', 'open', [], scores=[box, mask], cost=cost)
    assert rows_of(latex('s', [one])) == [
        ['arm', 'Box AP', 'n', 'Mask AP', 'parameters'],
        ['random', '30.0', '1', '--', '2 M'],
        ['prune-c', '31', '1', '28', '--'],
    ]


def test_a_section_without_scores_has_no_table():
    assert 'table' not in latex('s', [Section('Detection', 'Open.', 'open', [])]).splitlines()[-1]


@given(st.text())
def test_every_text_is_shown_and_none_is_a_command(text):
    shown = escaped(text)
    plain = re.sub(r'\\[&%$#_{}]|\\[a-zA-Z]+(\{\}|\{U\+[0-9A-F]+\}| )?|\$[^$]*\$', '', shown)
    assert not set('\\&%$#_^~') & set(plain)
    assert shown.isascii() or max(map(ord, shown)) <= 0xFF
    assert '\n' not in shown


def test_letters_that_latex_lacks_are_named_by_number():
    assert escaped('a中') == r'a\texttt{U+4E2D}'


def test_it_compiles_whatever_the_names(tmp_path):
    hostile = section((HOSTILE, HOSTILE, '1', '', ''), title=HOSTILE, columns=(HOSTILE,) * 3)
    bracket = section(('[x]', '1', '1', '', ''), ('*', '1', '1', '', ''))
    compiled(tmp_path, latex(HOSTILE, [hostile, bracket]))


def test_the_tables_of_a_report_fit_a_page(tmp_path):
    runs = classification(
        'resnet34', unpruned=[94.1, 94.3], fine_tune=[93.7, 93.5], scratch_b=[93.8, 93.9]
    )
    StudyResults('s', runs).write(tmp_path)
    said = compiled(tmp_path, write_report(tmp_path)['latex'].read_text(encoding='utf-8'))
    assert 'Overfull' not in said


def test_a_study_that_cannot_be_read_leaves_no_tables(tmp_path):
    run = RunResult('classification', 'fine-tune', 0, {'accuracy/top1': 1.0}).to_dict()
    StudyResults('s', []).write(tmp_path)
    text = (tmp_path / 'results.json').read_text().replace('"runs": []', f'"runs": [{run}]')
    (tmp_path / 'results.json').write_text(text)
    with pytest.raises(UserError, match='not valid JSON'):
        write_report(tmp_path)
    assert not list(tmp_path.glob('*.tex'))
