"""Pages of HTML: texts stay texts, and numbers stay together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from rethink_det.report.html import NO_BREAK, render, unbroken

EMPTY = dict(title='t', summary='s', sections=[], notes=[])


@pytest.mark.parametrize(
    'text, places', [('93.1 ± 0.2', 0), ('1.0 · 2.0 · 3.0', 2), ('−0.1 to +0.2', 1), ('5 %', 0)]
)
def test_a_line_ends_between_numbers_alone(text, places):
    assert unbroken(text).count(' ') == places


@given(st.text())
def test_nothing_but_spaces_changes(text):
    assert unbroken(text).replace(NO_BREAK, ' ') == text.replace(NO_BREAK, ' ')


def test_a_text_is_no_markup():
    page = render('two_studies.html', **EMPTY | {'title': '<script>"</script>'})
    assert '<script' not in page and '&lt;script&gt;' in page


def test_what_a_page_needs_must_be_given():
    with pytest.raises(UndefinedError, match='summary'):
        render('two_studies.html', title='t', sections=[], notes=[])
    with pytest.raises(TemplateNotFound):
        render('nothing.html')
