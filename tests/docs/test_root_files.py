"""Pages that are files elsewhere in the repository have links that lead somewhere."""

import pytest

pytest.importorskip('griffe', reason='needs the extra docs')

from docs.generators import root_files


@pytest.mark.parametrize(
    'link, turned',
    [
        ('[a](docs/costs.md#budgets)', '[a](costs.md#budgets)'),
        ('![a](docs/curves.svg)', '![a](curves.svg)'),
        ('[log](CHANGELOG.md)', '[log](changelog.md)'),
        ('[code](rethink_det/arms.py)', 'code'),
        ('[a](https://example.org/docs/costs.md)', '[a](https://example.org/docs/costs.md)'),
        ('[`x[0]` and](docs/costs.md)', '[`x[0]` and](costs.md)'),
    ],
)
def test_links_are_those_of_the_site(link, turned):
    assert root_files.turned(link, 'README.md') == turned


def test_a_link_to_nothing_is_refused():
    with pytest.raises(ValueError, match=r'README.md: docs/cost.md is nowhere'):
        root_files.turned('[a](docs/cost.md)', 'README.md')


def test_the_start_page_is_the_readme():
    pages = root_files.pages()
    assert '\n\n# rethink_det\n' in pages['index.md']
    assert '](docs/' not in pages['index.md']
