"""Texts of a result in Markdown: shown as they are, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report.markdown import cell, markdown_table, prose
from rethink_det.report.tables import Table


@pytest.mark.parametrize(
    'text, shown',
    [
        ('<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)>'),
        ('[here](javascript:alert(1))', r'\[here]\(javascript:alert(1))'),
        ('![](http://example.invalid/x.png)', r'![]\(http://example.invalid/x.png)'),
        ('[a]: http://example.invalid', r'\[a]: http://example.invalid'),
        ('# Verdict: better', r'\# Verdict: better'),
        ('   ## Verdict', r'\## Verdict'),
        ('Better\n======', 'Better\n\\======'),
        ('Better\n---', 'Better\n\\---'),
        ('> quoted', r'\> quoted'),
        ('```\ncode', '\\```\ncode'),
        ('red \x1b[31m', 'red \N{REPLACEMENT CHARACTER}[31m'),
        ('\N{RIGHT-TO-LEFT OVERRIDE}x', '\N{REPLACEMENT CHARACTER}x'),
        ('One.\n\n* a\n- b', 'One.\n\n* a\n- b'),
        ('5 % of 3 images, 93.1 ± 0.2 (p = 0.05)', '5 % of 3 images, 93.1 ± 0.2 (p = 0.05)'),
    ],
)
def test_somebodys_words_are_words(text, shown):
    assert prose(text) == shown


@given(st.text())
def test_whatever_is_in_them(text):
    for shown in (cell(text), prose(text)):
        assert '<' not in shown and '](' not in shown
        assert all(line.isprintable() for line in shown.splitlines())
    assert '\n' not in cell(text)
    assert not any(
        line.startswith(('#', '>', '=', '---', '```')) for line in prose(text).split('\n')
    )


def test_a_table_has_as_many_cells_as_columns_whatever_is_in_it():
    table = Table('<b>', ['a|b', 'c'], [['1 | 2', '\n# x']], note='<i> [x](y)')
    title, body, note = markdown_table(table)
    assert (title, note) == ('### &lt;b>', r'&lt;i> [x]\(y)')
    assert body.splitlines()[2] == r'| 1 \| 2 | # x |'
