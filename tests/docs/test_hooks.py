"""Links of notebooks lead to pages of the site."""

from types import SimpleNamespace

import pytest

pytest.importorskip('mkdocs', reason='needs the extra docs')

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from docs.generators import hooks

FILES = [
    File(name, src_dir='docs', dest_dir='site', use_directory_urls=False)
    for name in ('notebooks/a.ipynb', 'notebooks/b.ipynb', 'tutorials/study.md')
]


def turned(html, page='notebooks/a.ipynb'):
    here = next((file for file in FILES if file.src_uri == page), FILES[-1])
    return hooks.on_page_content(html, SimpleNamespace(file=here), {}, Files(FILES))


@pytest.mark.parametrize(
    'link, found',
    [
        ('../tutorials/study.md', '../tutorials/study.html'),
        ('../tutorials/study.md#seeds', '../tutorials/study.html#seeds'),
        ('https://example.org/study.md', 'https://example.org/study.md'),
        ('#top', '#top'),
    ],
)
def test_a_link_leads_to_the_page(link, found):
    assert turned(f'<a href="{link}">') == f'<a href="{found}">'


def test_pages_in_markdown_are_left_to_mkdocs():
    assert turned('<a href="nowhere.md">', 'tutorials/study.md') == '<a href="nowhere.md">'


def test_a_link_that_leads_nowhere_is_refused():
    with pytest.raises(
        PluginError, match=r'a.ipynb: its link to ../tutorials/gone.md leads nowhere'
    ):
        turned('<a href="../tutorials/gone.md">')
